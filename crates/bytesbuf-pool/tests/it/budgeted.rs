//! A budget on a pool: what is charged for which request, when it is credited, and
//! who gets the room.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use bytesbuf_core::{Block, BlockProvider, BlockRefBatch, ReserveError};
use bytesbuf_pool::{Budget, GlobalPool, Permit};

use crate::util::{CACHES, LARGE, SIZES, SMALL, class_stats, rent, rounds};

const FOR_EVER: Duration = Duration::MAX;

fn limited(max_bytes: usize) -> (GlobalPool, Budget) {
    let pool = GlobalPool::builder().max_bytes(max_bytes).build().unwrap();
    let budget = pool.budget().unwrap().clone();
    (pool, budget)
}

/// `requested`, `in_use` and `limit` of a refusal.
#[track_caller]
fn figures<T>(outcome: Result<T, ReserveError>) -> (usize, usize, usize) {
    match outcome {
        Err(ReserveError::OverBudget {
            requested,
            in_use,
            limit,
        }) => (requested, in_use, limit),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("must be refused"),
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // SeqCst: partner of the load in `rings`.
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A request that is polled by hand.
struct Request<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
}

impl<F: Future<Output = Result<Permit, ReserveError>>> Request<F> {
    fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
            bell: Arc::default(),
        }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn rings(&self) -> usize {
        // SeqCst: partner of the addition in `wake`.
        self.bell.0.load(Ordering::SeqCst)
    }

    #[track_caller]
    fn blocks(&mut self) -> Vec<Block> {
        match self.poll() {
            Poll::Ready(permit) => blocks(permit.unwrap()),
            Poll::Pending => panic!("still waits"),
        }
    }
}

fn blocks(permit: Permit) -> Vec<Block> {
    let mut blocks = Vec::new();
    permit.provide(&mut |block| blocks.push(block)).unwrap();
    blocks
}

/// Runs a future on this thread, parked while there is nothing to do.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// References to one block, all that there are.
fn references(block: Block, count: usize) -> Vec<BlockRefBatch> {
    let (_, _, batch) = block.open();
    let mut references = vec![batch.clone(); count - 1];
    references.push(batch);
    references
}

#[test]
fn a_block_is_charged_by_its_size_until_it_is_released() {
    let (pool, budget) = limited(1 << 20);
    for size in SIZES {
        for request in [size, size - 1] {
            let block = pool.rent(request).unwrap();
            assert_eq!(budget.in_use(), size, "{request}");
            drop(block);
            assert_eq!(budget.in_use(), 0);
        }
    }
    let requests = [
        (0, 0),
        (1, SMALL),
        (LARGE + 1, 2 * LARGE),
        (5 * LARGE, 5 * LARGE),
    ];
    for (request, charged) in requests {
        let mut kept = Vec::new();
        pool.provide(request, &mut |block| kept.push(block))
            .unwrap();
        assert_eq!(budget.in_use(), charged, "{request}");
        while kept.pop().is_some() {
            assert_eq!(budget.in_use(), kept.len() * LARGE);
        }
    }
}

#[test]
fn contiguous_and_direct_blocks_are_charged_by_their_size() {
    let (pool, budget) = limited(4 << 20);
    let table = [
        (0, SMALL),
        (1, SMALL),
        (LARGE, LARGE),
        (LARGE + 1, 1 << 18),
        ((1 << 18) + 1, 1 << 20),
        ((1 << 20) + 1, (1 << 20) + 1),
        (4 << 20, 4 << 20),
    ];
    for (request, charged) in table {
        let block = pool.rent_contiguous(request).unwrap();
        assert_eq!(block.len().get() as usize, charged);
        assert_eq!(budget.in_use(), charged, "{request}");
        assert_eq!(pool.stats().bytes_in_use(), charged);
        drop(block);
        assert_eq!((budget.in_use(), pool.stats().bytes_in_use()), (0, 0));
    }
    let limit = 4 << 20;
    let refused = figures(pool.rent_contiguous(limit + 1));
    assert_eq!(refused, (limit + 1, 0, limit));
    assert_eq!(pool.stats().direct_blocks_in_use(), 0);
}

#[test]
fn credited_with_the_last_of_many_references_wherever_it_is_dropped() {
    let (pool, budget) = limited(4 * LARGE);
    let mut references = references(pool.rent(LARGE).unwrap(), 6);
    for batch in references.split_off(3) {
        thread::spawn(move || drop((batch.clone(), batch)))
            .join()
            .unwrap();
        assert_eq!(budget.in_use(), LARGE, "three are left here");
    }
    let threads: Vec<_> = references
        .into_iter()
        .map(|batch| thread::spawn(move || drop(batch)))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((budget.in_use(), pool.stats().bytes_in_use()), (0, 0));
}

#[test]
fn credited_after_the_handles_of_the_pool_are_gone() {
    let (pool, budget) = limited(4 << 20);
    let mut kept = rent(&pool, SMALL, 3);
    kept.push(pool.rent_contiguous(200_000).unwrap());
    // An allocation of its own.
    kept.push(pool.rent_contiguous((1 << 20) + 1).unwrap());
    drop(pool);
    drop(kept.pop());
    assert_eq!(budget.in_use(), 3 * SMALL + CONTIGUOUS);
    drop(kept.pop());
    assert_eq!(budget.in_use(), 3 * SMALL);
    drop(kept.pop());
    assert_eq!(budget.in_use(), 2 * SMALL);
    thread::spawn(move || drop(kept)).join().unwrap();
    assert_eq!(budget.in_use(), 0);
}

thread_local! {
    static LEFT_BEHIND: RefCell<Vec<BlockRefBatch>> = const { RefCell::new(Vec::new()) };
}

/// Before and after the pool's own destructor, and on a thread that has no cache.
#[test]
fn credited_in_the_destructor_of_a_thread_local() {
    for scenario in 0..3 {
        let (pool, budget) = limited(1 << 20);
        let mut left = references(pool.rent(SMALL).unwrap(), 2);
        left.extend(references(pool.rent_contiguous(200_000).unwrap(), 2));
        let here = left.pop();
        let thread = {
            let pool = pool.clone();
            thread::spawn(move || {
                if scenario == 1 {
                    drop(pool.rent(SMALL).unwrap());
                }
                LEFT_BEHIND.set(left);
                if scenario == 2 {
                    drop(pool.rent(SMALL).unwrap());
                }
            })
        };
        thread.join().unwrap();
        assert_eq!(
            budget.in_use(),
            CONTIGUOUS,
            "scenario {scenario}: one reference is here"
        );
        drop(pool);
        drop(here);
        assert_eq!(budget.in_use(), 0);
    }
}

/// Bytes in the block of a contiguous request of 200,000 bytes.
const CONTIGUOUS: usize = 1 << 18;

#[test]
fn budgets_nest() {
    let process = Budget::builder(1 << 20).name("process").build().unwrap();
    let pool = GlobalPool::builder().budget(&process).build().unwrap();
    let listener = process.child(6 * SMALL);
    let on_listener = pool.with_budget(&listener);
    let connections = [4 * SMALL, 4 * SMALL].map(|limit| listener.child(limit));
    let [one, two] = connections.each_ref().map(|c| on_listener.with_budget(c));

    let mut kept = rent(&one, SMALL, 4);
    let used = || {
        (
            connections.each_ref().map(Budget::in_use),
            listener.in_use(),
            process.in_use(),
        )
    };
    assert_eq!(used(), ([4096, 0], 4096, 4096));
    // The connection's own limit, then the listener's, each with its figures.
    assert_eq!(figures(one.rent(1)), (1024, 4096, 4096));
    kept.extend(rent(&two, SMALL, 2));
    assert_eq!(figures(two.rent(1)), (1024, 6144, 6144));
    assert_eq!(
        used(),
        ([4096, 2048], 6144, 6144),
        "a refusal charges nobody"
    );
    assert_eq!(figures(two.rent(5000)), (16_384, 2048, 4096));

    // Nobody but the process pays for what is rented beside them.
    let beside = pool.rent(LARGE).unwrap();
    assert_eq!(used(), ([4096, 2048], 6144, 6144 + LARGE));
    drop(kept);
    assert_eq!(used(), ([0, 0], 0, LARGE));
    drop(beside);
    assert_eq!(process.in_use(), 0);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

/// `max_bytes` makes a level of its own below a budget that is given.
#[test]
fn a_limit_of_the_pool_below_a_budget() {
    let process = Budget::new(3 * SMALL);
    let pool = |name| {
        let builder = GlobalPool::builder().name(name).budget(&process);
        builder.max_bytes(2 * SMALL).build().unwrap()
    };
    let (one, two) = (pool("one"), pool("two"));
    assert_eq!(one.budget().unwrap().name(), Some("one"));
    assert!(one.budget().unwrap().is_below(&process));
    let mut kept = rent(&one, SMALL, 2);
    assert_eq!(figures(one.rent(1)), (1024, 2048, 2048));
    kept.extend(rent(&two, SMALL, 1));
    assert_eq!(figures(two.rent(1)), (1024, 3072, 3072));
    drop(kept);
    assert_eq!(process.in_use(), 0);
}

#[test]
fn refusals_carry_bytes_of_blocks() {
    let (pool, budget) = limited(2 * LARGE);
    assert_eq!(
        figures(pool.rent_contiguous(LARGE + 1)),
        (1 << 18, 0, 131_072)
    );
    let kept = pool.rent(1).unwrap();
    assert_eq!(
        figures(pool.provide(LARGE + 1, &mut |_| ())),
        (131_072, 1024, 131_072)
    );
    assert_eq!(
        figures(pool.permit_timeout(LARGE + 1, Duration::ZERO)),
        (131_072, 1024, 131_072)
    );
    assert_eq!(budget.in_use(), 1024);
    drop(kept);
    pool.provide(LARGE + 1, &mut |_| ()).unwrap();
}

#[test]
fn a_request_for_several_blocks_is_met_wholly_or_not_at_all() {
    let (pool, budget) = limited(4 * LARGE - 1);
    let mut sunk = 0;
    let refused = pool.provide(3 * LARGE + 1, &mut |_| sunk += 1);
    assert_eq!(figures(refused), (4 * LARGE, 0, 4 * LARGE - 1));
    assert_eq!(sunk, 0);
    assert_eq!(class_stats(&pool, LARGE).rentals(), 0);
    assert_eq!((budget.in_use(), budget.peak()), (0, 0));
    pool.provide(3 * LARGE, &mut |_| sunk += 1).unwrap();
    assert_eq!((sunk, budget.in_use(), budget.peak()), (3, 0, 3 * LARGE));
}

#[test]
fn hostile_sizes_are_refused_and_nothing_is_charged() {
    let (pool, budget) = limited(usize::MAX);
    const MAX: usize = isize::MAX as usize;
    let too_large = |outcome: Result<(), ReserveError>, request, limit| match outcome.unwrap_err() {
        ReserveError::TooLarge { requested, max } => {
            assert_eq!((requested, max), (request, limit));
        }
        other => panic!("{other}"),
    };
    for request in [usize::MAX, usize::MAX - 1, MAX + 2, MAX + 1] {
        let provided = pool.provide(request, &mut |_| panic!("nothing may be rented"));
        too_large(provided, request, MAX);
        too_large(
            pool.permit_timeout(request, FOR_EVER).map(drop),
            request,
            MAX,
        );
        too_large(block_on(pool.permit_async(request)).map(drop), request, MAX);
        let contiguous = pool.rent_contiguous(request).map(drop);
        too_large(contiguous, request, MAX.min(u32::MAX as usize));
        pool.footprint(request).unwrap_err();
    }
    // Rounded up to blocks it is more than any limit: refused, not waited for.
    let rounded = MAX + 1;
    let refused = [
        figures(pool.provide(MAX, &mut |_| panic!("nothing may be rented"))),
        figures(pool.permit_timeout(MAX, FOR_EVER)),
        figures(block_on(pool.permit_async(MAX))),
    ];
    assert_eq!(refused, [(rounded, 0, MAX); 3]);
    assert_eq!(
        (budget.in_use(), budget.peak(), budget.waiting()),
        (0, 0, 0)
    );
    // One block serves the start of any request.
    assert_eq!(pool.rent(usize::MAX).unwrap().len().get() as usize, LARGE);
}

#[test]
fn a_request_above_the_limit_is_refused_at_once_and_not_queued() {
    let (pool, budget) = limited(2 * SMALL);
    assert_eq!(
        figures(pool.permit_timeout(3000, FOR_EVER)),
        (4096, 0, 2048)
    );
    let mut request = Request::new(pool.permit_async(3000));
    match request.poll() {
        Poll::Ready(refused) => assert_eq!(figures(refused), (4096, 0, 2048)),
        Poll::Pending => panic!("waits for what will never be"),
    }
    assert_eq!((budget.in_use(), budget.stats().waits), (0, 0));
}

#[test]
fn a_thread_waits_for_a_release_on_another() {
    let (pool, budget) = limited(LARGE);
    let all = pool.rent(LARGE).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let blocks = blocks(pool.permit_timeout(SMALL, FOR_EVER).unwrap());
            (blocks.len(), budget.in_use())
        });
        while budget.waiting() == 0 {
            assert!(!waiter.is_finished(), "it has to wait");
            thread::yield_now();
        }
        // Room or not: who waits is served first.
        assert_eq!(figures(pool.rent(1)), (SMALL, LARGE, LARGE));
        drop(all);
        assert_eq!(waiter.join().unwrap(), (1, SMALL));
    });
    assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

#[test]
fn a_thread_whose_time_is_up_gets_the_figures_and_keeps_nothing() {
    let process = Budget::new(LARGE);
    let connection = process.child(LARGE);
    let pool = GlobalPool::new().with_budget(&connection);
    let all = process.try_charge(LARGE).unwrap();
    for patience in [Duration::ZERO, Duration::from_millis(1)] {
        let refused = pool.permit_timeout(SMALL, patience);
        assert_eq!(figures(refused), (SMALL, LARGE, LARGE));
        assert_eq!((connection.in_use(), process.in_use()), (0, LARGE));
    }
    drop(all);
    assert_eq!(
        blocks(pool.permit_timeout(SMALL, Duration::ZERO).unwrap()).len(),
        1
    );
    assert_eq!((connection.in_use(), process.in_use()), (0, 0));
}

#[test]
fn futures_are_served_in_the_order_of_their_first_poll() {
    let (pool, budget) = limited(4 * LARGE);
    let mut kept: Vec<_> = rent(&pool, LARGE, 4);
    let mut large = Request::new(pool.permit_async(2 * LARGE));
    let mut small = Request::new(pool.permit_async(1));
    let mut late = Request::new(pool.permit_async(1));
    for request in [&mut large, &mut small, &mut late] {
        assert!(request.poll().is_pending());
    }
    assert_eq!(budget.waiting(), 3);
    drop(kept.pop());
    assert_eq!([large.rings(), small.rings(), late.rings()], [0; 3]);
    assert!(small.poll().is_pending(), "the large one is first");
    drop(kept.pop());
    assert_eq!([large.rings(), small.rings(), late.rings()], [1, 0, 0]);
    let two = large.blocks();
    assert_eq!(two.len(), 2);
    drop(two);
    assert_eq!([large.rings(), small.rings(), late.rings()], [1; 3]);
    drop((small.blocks(), late.blocks(), kept));
    assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
}

#[test]
fn a_future_that_is_dropped_lets_the_next_one_through() {
    let (pool, budget) = limited(2 * LARGE);
    let kept = pool.rent(LARGE).unwrap();
    let mut large = Request::new(pool.permit_async(2 * LARGE));
    let mut small = Request::new(pool.permit_async(1));
    assert!(large.poll().is_pending() && small.poll().is_pending());
    drop(large);
    assert_eq!(small.rings(), 1);
    // Granted and never looked at: goes back as well.
    assert_eq!(budget.in_use(), LARGE + SMALL);
    drop(small);
    assert_eq!(budget.in_use(), LARGE);
    drop(kept);
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_permit_that_is_not_used_gives_its_charge_back() {
    let (pool, budget) = limited(4 * LARGE);
    let permit = pool.permit_timeout(3 * LARGE, FOR_EVER).unwrap();
    assert_eq!(
        (budget.in_use(), pool.stats().bytes_in_use()),
        (3 * LARGE, 0)
    );
    drop(permit);
    assert_eq!(budget.in_use(), 0);
    assert_eq!(class_stats(&pool, LARGE).rentals(), 0);
}

/// The block is back before its bytes are: who was waiting for them does not have
/// another one carved.
#[test]
fn who_waited_rents_the_block_that_was_released() {
    let (pool, _) = limited(LARGE);
    let mut block = pool.rent(LARGE).unwrap();
    for round in 1..=rounds(50) {
        let mut request = Request::new(pool.permit_async(LARGE));
        assert!(request.poll().is_pending());
        drop(block);
        assert_eq!(request.rings(), 1);
        block = request.blocks().remove(0);
        let stats = class_stats(&pool, LARGE);
        assert_eq!((stats.high_water(), stats.rentals()), (1, round + 1));
        if CACHES {
            assert_eq!((stats.misses(), stats.allocations()), (1, 1));
        }
    }
}

/// The waker runs inside of the release, and may use the pool there.
#[test]
fn who_is_woken_finds_the_block_already() {
    struct Looks(GlobalPool, AtomicUsize);
    impl Wake for Looks {
        fn wake(self: Arc<Self>) {
            let stats = class_stats(&self.0, LARGE);
            assert_eq!(stats.blocks_in_use(), 0);
            assert_eq!(stats.blocks_cached(), usize::from(CACHES));
            // SeqCst: partner of the load at the end.
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (pool, _) = limited(LARGE);
    let block = pool.rent(LARGE).unwrap();
    let looks = Arc::new(Looks(pool.clone(), AtomicUsize::new(0)));
    let mut request = pin!(pool.permit_async(LARGE));
    let waker = Waker::from(Arc::clone(&looks));
    let mut context = Context::from_waker(&waker);
    assert!(request.as_mut().poll(&mut context).is_pending());
    drop(block);
    // SeqCst: partner of the addition in `wake`.
    assert_eq!(looks.1.load(Ordering::SeqCst), 1, "its assertions held");
}

#[test]
fn tasks_on_several_threads_take_turns() {
    let (pool, budget) = limited(2 * LARGE);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let pool = pool.clone();
            thread::spawn(move || {
                for round in 0..rounds(500) {
                    let request = [1, LARGE, 2 * LARGE][round % 3];
                    drop(blocks(block_on(pool.permit_async(request)).unwrap()));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
    assert!(budget.peak() <= 2 * LARGE);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

#[test]
fn a_budget_that_is_not_below_is_refused() {
    let (pool, budget) = limited(1 << 20);
    let stranger = Budget::builder(5).name("stranger").build().unwrap();
    let attempt = catch_unwind(AssertUnwindSafe(|| pool.with_budget(&stranger)));
    let message = *attempt.unwrap_err().downcast::<String>().unwrap();
    assert!(
        message.contains("stranger") && message.contains("is not below"),
        "{message}"
    );
    // Its own parent would lift the limit; itself and what is below it is fine.
    let child = budget.child(10);
    let handle = pool.with_budget(&budget).with_budget(&child);
    assert!(catch_unwind(AssertUnwindSafe(|| handle.with_budget(&budget))).is_err());
    assert_eq!(figures(handle.rent(1)), (1024, 0, 10));
    // A handle without budget takes any.
    let free = GlobalPool::new();
    assert_eq!(figures(free.with_budget(&stranger).rent(1)), (1024, 0, 5));
    drop(free.rent(1).unwrap());
}

#[test]
fn clones_charge_what_their_handle_charges() {
    let (pool, budget) = limited(1 << 20);
    let connection = budget.child(1 << 20);
    let handle = pool.with_budget(&connection);
    let kept = handle.rent(1).unwrap();
    assert_eq!((connection.in_use(), budget.in_use()), (1024, 1024));
    let (there, back) = mpsc::channel();
    thread::spawn(move || there.send(handle.rent(1).unwrap()).unwrap());
    drop(back.recv().unwrap());
    assert_eq!((connection.in_use(), budget.in_use()), (1024, 1024));
    drop(kept);
    assert_eq!((connection.in_use(), budget.in_use()), (0, 0));
}
