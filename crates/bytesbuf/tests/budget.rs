//! Budgets as users of buffers and views meet them, under a global allocator that
//! fails on demand.
#![cfg(all(feature = "std", not(bytesbuf_loom)))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use bytesbuf::mem::{Block, BlockProvider, Budget, GlobalPool, ProviderMemory, ReserveError, Wipe};
use bytesbuf::{BytesBuf, BytesView};

struct Failing;

thread_local! {
    /// Allocations of this thread that still succeed.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

// SAFETY: forwards to `System`, or returns null.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let left = LEFT.get();
        if left == 0 {
            return std::ptr::null_mut();
        }
        if left != usize::MAX {
            LEFT.set(left - 1);
        }
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: forwarded.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

const LARGE: usize = 65_536;

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

/// A part of a view keeps the whole block, and its charge, wherever it is.
#[test]
fn a_view_of_one_byte_is_charged_as_its_block() {
    let (pool, budget) = limited(4 * LARGE);
    let mut buf = pool.reserve(2 * LARGE);
    assert_eq!(budget.in_use(), 2 * LARGE);
    buf.put_byte_repeated(7, LARGE + 10);
    let mut view = buf.consume_all();
    drop(buf);
    let tail = view.range(LARGE + 1..LARGE + 2);
    view.truncate(10);
    assert_eq!(budget.in_use(), 2 * LARGE);
    let twin = view.clone();
    drop(view);
    assert_eq!(budget.in_use(), 2 * LARGE);
    thread::spawn(move || drop(twin)).join().unwrap();
    assert_eq!(budget.in_use(), LARGE, "the first block is back");
    drop(pool);
    assert_eq!(tail, [7]);
    drop(tail);
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_buffer_that_was_not_used_is_credited() {
    let (pool, budget) = limited(4 * LARGE);
    let mut buf = pool.reserve(3 * LARGE);
    let rest = buf.split_off_remaining(LARGE + 1);
    drop(buf);
    assert_eq!(budget.in_use(), 2 * LARGE);
    drop(rest);
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_buffer_that_grows_is_refused_as_a_whole_and_keeps_what_it_has() {
    let (pool, budget) = limited(3 * LARGE);
    let mut buf = pool.reserve(LARGE);
    buf.put_slice(*b"kept");
    let refused = buf.try_reserve(3 * LARGE, &pool);
    assert_eq!(figures(refused), (3 * LARGE, LARGE, 3 * LARGE));
    assert_eq!((budget.in_use(), buf.capacity()), (LARGE, LARGE));
    buf.try_reserve(3 * LARGE - 4, &pool).unwrap();
    assert_eq!(budget.in_use(), 3 * LARGE);
    assert_eq!(buf.consume_all(), b"kept");
}

#[test]
fn a_refusal_that_nobody_expects_is_a_panic_with_the_figures() {
    let (pool, budget) = limited(1024);
    let kept = pool.reserve(1);
    for ask in [
        (|pool| drop(pool.reserve(2000))) as fn(&GlobalPool),
        |pool| drop(pool.reserve(2 * LARGE)),
        |pool| drop(pool.reserve_contiguous(2000)),
    ] {
        let attempt = catch_unwind(AssertUnwindSafe(|| ask(&pool)));
        let message = *attempt.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("1024"), "{message}");
    }
    assert_eq!(budget.in_use(), 1024);
    drop(kept);
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn nothing_costs_nothing() {
    let (pool, budget) = limited(0);
    let bufs = [
        pool.try_reserve(0),
        pool.try_reserve_contiguous(0),
        pool.reserve_timeout(0, Duration::ZERO),
        block_on(pool.reserve_async(0)),
    ];
    for buf in bufs {
        assert_eq!(buf.unwrap().capacity(), 0);
    }
    assert_eq!(figures(pool.try_reserve(1)), (1024, 0, 0));
    assert_eq!((budget.in_use(), budget.stats().waits), (0, 0));
}

#[test]
fn process_listener_connection() {
    let process = Budget::new(1 << 20);
    let listener = process.child(5 * LARGE);
    let pool = GlobalPool::builder().budget(&process).build().unwrap();
    let connections = [0; 3].map(|_| pool.with_budget(&listener.child(2 * LARGE)));
    let mut bufs: Vec<_> = connections
        .iter()
        .map(|connection| connection.try_reserve(2 * LARGE))
        .collect();
    assert_eq!(
        figures(bufs.pop().unwrap()),
        (2 * LARGE, 4 * LARGE, 5 * LARGE)
    );
    bufs.push(connections[2].try_reserve(LARGE));
    let in_use = [&process, &listener].map(Budget::in_use);
    assert_eq!(in_use, [5 * LARGE; 2]);
    let levels = process.stats();
    assert_eq!((levels.in_use, levels.peak), (5 * LARGE, 5 * LARGE));
    drop(bufs);
    for connection in &connections {
        assert_eq!(connection.budget().unwrap().in_use(), 0);
    }
    assert_eq!([&process, &listener].map(Budget::in_use), [0; 2]);
}

#[test]
fn waiting_on_a_thread_and_as_a_future() {
    let (pool, budget) = limited(LARGE);
    for as_future in [false, true] {
        let all = pool.reserve(LARGE);
        let refused = pool.reserve_timeout(1, Duration::ZERO);
        assert_eq!(figures(refused), (1024, LARGE, LARGE));
        let waiter = {
            let pool = pool.clone();
            thread::spawn(move || {
                if as_future {
                    block_on(pool.reserve_async(LARGE))
                } else {
                    pool.reserve_timeout(LARGE, Duration::MAX)
                }
            })
        };
        while budget.waiting() == 0 {
            assert!(!waiter.is_finished(), "it has to wait");
            thread::yield_now();
        }
        drop(all);
        let mut buf = waiter.join().unwrap().unwrap();
        buf.put_byte_repeated(1, LARGE);
        assert_eq!((budget.in_use(), budget.waiting()), (LARGE, 0));
        drop(buf.consume_all());
        assert_eq!(budget.in_use(), 0);
    }
}

#[test]
fn hostile_sizes_are_errors_however_they_are_asked_for() {
    let (limited, budget) = limited(1 << 20);
    for pool in [GlobalPool::new(), limited] {
        for bytes in [usize::MAX, isize::MAX as usize + 1] {
            let outcomes = [
                pool.try_reserve(bytes),
                pool.try_reserve_contiguous(bytes),
                pool.reserve_timeout(bytes, Duration::MAX),
                block_on(pool.reserve_async(bytes)),
                BytesBuf::new()
                    .try_reserve(bytes, &pool)
                    .map(|()| BytesBuf::new()),
            ];
            for outcome in outcomes {
                let error = outcome.unwrap_err();
                assert!(
                    matches!(error, ReserveError::TooLarge { requested, .. } if requested == bytes),
                    "{error}"
                );
            }
        }
        assert_eq!(pool.stats().bytes_in_use(), 0);
    }
    assert_eq!((budget.in_use(), budget.peak()), (0, 0));
}

/// What no machine has is refused, and not gathered block by block until the system
/// has nothing left.
#[test]
#[cfg(target_pointer_width = "64")]
#[cfg_attr(miri, ignore = "miri does not refuse large allocations")]
fn more_than_the_machine_has_is_refused_before_it_is_gathered() {
    let pool = GlobalPool::new();
    for bytes in [1 << 46, isize::MAX as usize] {
        let outcomes = [
            pool.try_reserve(bytes),
            pool.reserve_timeout(bytes, Duration::ZERO),
            block_on(pool.reserve_async(bytes)),
        ];
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert!(
                matches!(error, ReserveError::OutOfMemory { requested } if requested == bytes),
                "{error}"
            );
        }
        let rentals: usize = pool.stats().classes().map(|class| class.rentals()).sum();
        assert_eq!(rentals, 0);
    }
}

/// More than one block, and not many for miri.
const SEVERAL: usize = if cfg!(miri) { 5 } else { 20 } * LARGE;

/// A way to reserve.
type Way = fn(&GlobalPool) -> Result<BytesBuf, ReserveError>;

/// Each allocation of each way to reserve fails once, as the first of many.
#[track_caller]
fn the_nth_allocation_fails(ways: &[Way]) {
    for (way, reserve) in ways.iter().enumerate() {
        let mut failures = 0;
        for nth in 0.. {
            let (pool, budget) = limited(1 << 24);
            LEFT.set(nth);
            let outcome = reserve(&pool);
            let left = LEFT.replace(usize::MAX);
            match outcome {
                Ok(buf) => assert_eq!(budget.in_use(), buf.capacity(), "way {way}, {nth}"),
                Err(ReserveError::OutOfMemory { .. }) => failures += 1,
                Err(other) => panic!("{other}"),
            }
            let used = (budget.in_use(), pool.stats().bytes_in_use());
            assert_eq!(used, (0, 0), "way {way}, allocation {nth}");
            if left > 0 {
                // It makes no more than that.
                break;
            }
        }
        assert!(failures > 0, "way {way}");
    }
}

#[test]
fn a_charge_comes_back_when_the_allocator_refuses() {
    the_nth_allocation_fails(&[
        |pool| pool.try_reserve(1),
        |pool| pool.try_reserve_contiguous(200_000),
        |pool| pool.try_reserve_contiguous(2 << 20),
        |pool| pool.reserve_timeout(LARGE, Duration::MAX),
        |pool| pin!(pool.reserve_async(LARGE)).now(),
    ]);
}

#[test]
fn a_charge_for_several_blocks_comes_back_when_the_allocator_refuses() {
    the_nth_allocation_fails(&[
        |pool| pool.try_reserve(SEVERAL),
        |pool| pool.reserve_timeout(SEVERAL, Duration::MAX),
        |pool| pin!(pool.reserve_async(SEVERAL)).now(),
    ]);
}

/// A future that is ready at once.
trait Now: Future {
    fn now(self) -> Self::Output;
}

impl<F: Future> Now for std::pin::Pin<&mut F> {
    fn now(mut self) -> F::Output {
        let mut context = Context::from_waker(Waker::noop());
        match Future::poll(self.as_mut(), &mut context) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("has to wait"),
        }
    }
}

/// A provider on top of the pool that panics after its nth block.
#[derive(Debug)]
struct Fragile {
    pool: bytesbuf_pool::GlobalPool,
    nth: usize,
}

impl BlockProvider for Fragile {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        let mut provided = 0;
        self.pool.provide(min_bytes, &mut |block| {
            assert!(provided < self.nth, "on purpose");
            provided += 1;
            sink(block);
        })
    }
}

#[test]
fn a_provider_that_panics_half_way_keeps_nothing() {
    for nth in 0..4 {
        let builder = bytesbuf_pool::GlobalPool::builder().max_bytes(8 * LARGE);
        let pool = builder.build().unwrap();
        let budget = pool.budget().unwrap().clone();
        let memory = ProviderMemory::new(Fragile {
            pool: pool.clone(),
            nth,
        });
        let mut buf = BytesBuf::from_blocks([pool.rent(1).unwrap()]);
        buf.put_slice(*b"kept");
        let attempts = [
            catch_unwind(AssertUnwindSafe(|| drop(memory.try_reserve(4 * LARGE)))),
            catch_unwind(AssertUnwindSafe(|| drop(memory.reserve(4 * LARGE)))),
            catch_unwind(AssertUnwindSafe(|| buf.reserve(4 * LARGE, &memory))),
            catch_unwind(AssertUnwindSafe(|| {
                drop(BytesView::copied_from_slice(&[0; 4 * LARGE], &memory));
            })),
        ];
        assert!(attempts.iter().all(Result::is_err));
        assert_eq!(
            budget.in_use(),
            1024,
            "block {nth}: that of the buffer alone"
        );
        assert_eq!(buf.consume_all(), b"kept");
        drop(buf);
        assert_eq!((budget.in_use(), pool.stats().bytes_in_use()), (0, 0));
    }
}

/// The iterators that users write: of blocks, of views, of views that they join.
#[test]
fn an_iterator_that_panics_half_way_keeps_nothing() {
    let builder = bytesbuf_pool::GlobalPool::builder().max_bytes(8 * LARGE);
    let pool = builder.build().unwrap();
    let budget = pool.budget().unwrap().clone();
    for nth in 0..5 {
        let blocks = || {
            (0..5).map(|index| {
                assert!(index < nth, "on purpose");
                pool.rent(LARGE).unwrap()
            })
        };
        let views = || {
            blocks().map(|block| {
                let mut buf = BytesBuf::from_blocks([block]);
                buf.put_slice(*b"content");
                buf.consume_all()
            })
        };
        let mut extended = BytesView::new();
        let attempts = [
            catch_unwind(AssertUnwindSafe(|| drop(BytesBuf::from_blocks(blocks())))),
            catch_unwind(AssertUnwindSafe(|| drop(BytesView::from_views(views())))),
            catch_unwind(AssertUnwindSafe(|| drop(views().collect::<BytesView>()))),
            catch_unwind(AssertUnwindSafe(|| extended.extend(views()))),
        ];
        assert!(attempts.iter().all(Result::is_err));
        // What `extend` has taken already, it may keep: all of it is charged.
        let kept = extended.slices().count();
        assert!(kept <= nth);
        assert_eq!(budget.in_use(), kept * LARGE, "item {nth}");
        drop(extended);
        assert_eq!((budget.in_use(), pool.stats().bytes_in_use()), (0, 0));
    }
}

/// A budget and wiping together: both happen at the last release.
#[test]
fn wiped_and_credited() {
    let builder = GlobalPool::builder().wipe(Wipe::OnRelease);
    let pool = builder.max_bytes(LARGE).build().unwrap();
    let budget = pool.budget().unwrap().clone();
    for _ in 0..3 {
        let mut buf = pool.reserve(LARGE);
        // All of it has been written, by this loop or by the wipe before it.
        buf.put_byte_repeated(0xC5, LARGE);
        let view = buf.consume_all();
        drop(buf);
        let there = view.range(5..6);
        drop(view);
        assert_eq!(budget.in_use(), LARGE);
        assert_eq!(there, [0xC5]);
        drop(there);
        assert_eq!(budget.in_use(), 0);
    }
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

/// More than a block can be: what its list needs may be refused as well. (Here because this
/// allocator does not touch what it gives, so that nothing of it exists.)
#[test]
#[cfg(all(feature = "test-util", target_pointer_width = "64"))]
#[cfg_attr(miri, ignore = "4 GiB")]
#[cfg_attr(
    any(
        bytesbuf_sanitize = "address",
        bytesbuf_sanitize = "thread",
        bytesbuf_sanitize = "memory"
    ),
    ignore = "gigabytes of notes on these bytes"
)]
fn a_request_of_several_blocks_of_the_largest_size() {
    use bytesbuf::mem::testing::TransparentMemory;

    let bytes = u32::MAX as usize + 1;
    let reserve = |left| {
        LEFT.set(left);
        let outcome = TransparentMemory::new().try_reserve(bytes);
        LEFT.set(usize::MAX);
        outcome
    };
    for left in 0..20 {
        match reserve(left) {
            Err(ReserveError::OutOfMemory { .. }) => {}
            Err(other) => panic!("{other}"),
            Ok(buf) => {
                assert!(left > 3, "two blocks, a list, and a try");
                assert_eq!(buf.capacity(), bytes);
                return;
            }
        }
    }
    let refusal = reserve(usize::MAX).unwrap_err();
    assert!(
        matches!(refusal, ReserveError::OutOfMemory { .. }),
        "no machine for this"
    );
}
