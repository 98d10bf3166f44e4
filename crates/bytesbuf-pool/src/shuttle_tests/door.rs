//! Runs a scenario in many interleavings, and looks for what each has left behind.

use std::cell::{Cell, RefCell};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Plain, Once};
use std::{env, panic};

use bytesbuf_core::{Block, BlockRefBatch};
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner, thread};

use crate::sync::memory;
use crate::{Budget, GlobalPool};

/// Bytes of payload in every block.
pub(super) const BLOCK: usize = 1024;

/// Executions of a scenario by each scheduler.
const ITERATIONS: &str = "BYTESBUF_SHUTTLE_ITERATIONS";
const DEFAULT_ITERATIONS: usize = 5_000;

/// A directory for the schedules that fail; they are printed without.
const FAILURES: &str = "BYTESBUF_SHUTTLE_FAILURES";

/// A file with a schedule that failed: it alone is run.
const REPLAY: &str = "BYTESBUF_SHUTTLE_REPLAY";

/// The same executions each time. Shuttle's own `SHUTTLE_RANDOM_SEED` overrides it.
const SEED: u64 = 1;

/// How many times a thread with a higher priority makes way for one with a lower
/// one: few find what needs few, more take longer to find that.
const DEPTHS: [usize; 3] = [2, 3, 6];

/// Runs a scenario under each scheduler. It runs in a thread of its own, so that it
/// has ended, thread-locals and all, when its memory is counted.
pub(super) fn check(scenario: fn()) {
    let execution = move || {
        memory::begin();
        thread::spawn(scenario).join().expect("reported already");
        memory::assert_all_freed();
    };
    let executions = match env::var_os(REPLAY) {
        Some(file) => {
            let scheduler = ReplayScheduler::new_from_file(file).expect("a schedule");
            run("replay", scheduler, execution)
        }
        None => explore(execution),
    };
    // `cargo xtask shuttle` reads this.
    println!("executions: {executions} of {}", test_name());
}

/// Returns the number of executions, as `run` does.
fn explore(execution: impl Fn() + Copy + Send + Sync + 'static) -> usize {
    let iterations = env::var(ITERATIONS).map_or(DEFAULT_ITERATIONS, |text| {
        text.parse().expect("a number of executions")
    });
    let mut executions = 0;
    for depth in DEPTHS {
        let scheduler = PctScheduler::new_from_seed(SEED, depth, iterations);
        executions += run(&format!("pct of depth {depth}"), scheduler, execution);
    }
    let scheduler = RandomScheduler::new_from_seed(SEED, iterations);
    executions + run("random", scheduler, execution)
}

fn test_name() -> String {
    let thread = std::thread::current();
    thread.name().unwrap_or("a scenario").to_owned()
}

thread_local! {
    /// Which scheduler this thread of the system is under, and its how manyth
    /// execution this is.
    static RUN: (RefCell<String>, Cell<usize>) = const { (RefCell::new(String::new()), Cell::new(0)) };
}

/// Has a panic say who found it. In the hook, because a broken pool may panic again
/// while it is dropped, which ends the process.
fn report_failures() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let (scheduler, nth) = RUN.with(|(name, nth)| (name.borrow().clone(), nth.get()));
            let name = test_name();
            let short = name.trim_start_matches("shuttle_tests::");
            eprintln!("found by: {scheduler}, execution {nth} of {name}");
            eprintln!("to replay: cargo xtask shuttle --replay <the file named above> {short}");
            hook(info);
        }));
    });
}

/// Returns the number of executions.
fn run(
    name: &str,
    scheduler: impl Scheduler + 'static,
    execution: impl Fn() + Copy + Send + Sync + 'static,
) -> usize {
    report_failures();
    RUN.with(|(scheduler, nth)| {
        scheduler.replace(name.to_owned());
        nth.set(0);
    });
    let mut config = Config::new();
    config.stack_size = 0x4_0000;
    config.silence_warnings = true;
    config
        .ungraceful_shutdown_config
        .immediately_return_on_panic = true;
    if let Some(directory) = env::var_os(FAILURES) {
        config.failure_persistence = FailurePersistence::File(Some(directory.into()));
    }
    Runner::new(scheduler, config).run(move || {
        RUN.with(|(_, nth)| nth.set(nth.get() + 1));
        execution();
    })
}

/// A number below `n`, as chance has it.
pub(super) fn any_of(n: usize) -> usize {
    thread_rng().gen_range(0..n)
}

/// Runs all of them at once, and returns when they have ended.
pub(super) fn at_once<const N: usize>(bodies: [Box<dyn FnOnce() + Send>; N]) {
    let mut number = 0;
    let threads = bodies.map(|body| {
        number += 1;
        let thread = thread::Builder::new().name(format!("thread {number}"));
        thread.spawn(body).expect("shuttle's threads do not fail")
    });
    for thread in threads {
        thread.join().expect("reported already");
    }
}

/// A pool with small magazines, a depot for two blocks, and a budget of `blocks`.
pub(super) fn pool_of(blocks: usize) -> GlobalPool {
    let builder = GlobalPool::builder().max_cached_bytes(2 * BLOCK);
    builder.max_bytes(blocks * BLOCK).build().expect("valid")
}

/// A block that is in use: marked with a number that no other has, which is still
/// there in the end unless somebody else uses the block as well.
pub(super) struct InUse {
    memory: NonNull<MaybeUninit<u8>>,
    mark: usize,
    block: ManuallyDrop<BlockRefBatch>,
}

// SAFETY: memory and references of one block, which may both move between threads.
unsafe impl Send for InUse {}

impl InUse {
    pub(super) fn new(block: Block) -> Self {
        static MARKS: AtomicUsize = AtomicUsize::new(1);
        let (memory, _, block) = block.open();
        // Relaxed: partner of nothing; each value is given out once.
        let mark = MARKS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: a block that was just opened is ours to write, aligned to 64 bytes
        // and larger than a number.
        unsafe { memory.cast::<usize>().write(mark) };
        Self {
            memory,
            mark,
            block: ManuallyDrop::new(block),
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // something is broken already
        }
        // SAFETY: written when it was opened; `block` keeps it.
        let mark = unsafe { self.memory.cast::<usize>().read() };
        assert_eq!(mark, self.mark, "a block has one user at a time");
        // SAFETY: dropped here alone.
        unsafe { ManuallyDrop::drop(&mut self.block) };
    }
}

/// Blocks that one thread leaves for another. Not a place where threads are
/// scheduled, and gone with the last thread that knows it.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Plain<Vec<InUse>>>);

impl Shelf {
    pub(super) fn put(&self, block: InUse) {
        self.0.lock().expect("not poisoned").push(block);
    }

    pub(super) fn take(&self) -> Option<InUse> {
        self.0.lock().expect("not poisoned").pop()
    }
}

/// Asserts conservation on a pool whose threads have ended, and on its budgets.
#[track_caller]
pub(super) fn assert_conserved(pool: &GlobalPool, budgets: &[&Budget]) {
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), 0, "as many are released as rented");
    assert_eq!(stats.thread_caches(), 0, "each went with its thread");
    for budget in budgets {
        let left = (budget.in_use(), budget.waiting());
        assert_eq!(left, (0, 0), "each byte is credited, nobody waits");
    }
    pool.trim();
    let stats = pool.stats();
    assert_eq!(stats.bytes_cached(), 0, "nothing is kept after a trim");
    assert_eq!(stats.bytes_allocated(), 0, "all slabs are idle");
}
