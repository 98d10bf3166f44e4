//! The contracts between core and those who use it: panicking callbacks, owners, counts
//! at their limit, functions that safe code cannot call.
#![cfg(all(feature = "alloc", not(bytesbuf_loom)))]
#![expect(unsafe_code, reason = "plays the provider of the block ABI")]

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytesbuf_core::{
    Block, BlockMeta, BlockRef, BlockRefBatch, BlockRefCounted, BlockRefDynamic,
    BlockRefDynamicWithMeta, BlockRefVTable, OwnedMemory, RefCount,
};

thread_local! {
    /// Calls of callbacks that still return.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn burn() {
    match LEFT.get() {
        usize::MAX => {}
        0 => {
            LEFT.set(usize::MAX);
            panic!("on purpose");
        }
        left => LEFT.set(left - 1),
    }
}

/// Panics in the n-th callback of `action`, for every n until there is none. Each time
/// everything is dropped once.
fn sweep(action: impl Fn(&Arc<()>)) {
    for nth in 0.. {
        let alive = Arc::new(());
        LEFT.set(nth);
        let outcome = catch_unwind(AssertUnwindSafe(|| action(&alive)));
        let burnt = LEFT.replace(usize::MAX) == usize::MAX;
        assert_eq!(outcome.is_err(), burnt, "swallowed, or another panic");
        assert_eq!(Arc::strong_count(&alive), 1, "call {nth}");
        if !burnt {
            assert!(nth > 2, "{nth} calls only");
            return;
        }
    }
}

/// The state of both kinds of block.
#[repr(C)]
struct State {
    count: RefCount,
    alive: Arc<()>,
    memory: [MaybeUninit<u8>; 4],
}

#[derive(Debug)]
struct Meta;
impl BlockMeta for Meta {}
static META: Meta = Meta;

const COUNTED: BlockRefVTable<State> = BlockRefVTable::from_counted();
const DYNAMIC: BlockRefVTable<State> = BlockRefVTable::from_trait_with_meta();

// SAFETY: repr(C) with the count first; the box lives until `release`.
unsafe impl BlockRefCounted for State {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Box::leak`; the last reference is gone.
        drop(unsafe { Box::from_raw(state_ptr.as_ptr()) });
        burn();
    }
}

// SAFETY: an Arc counts and keeps the state. A clone that panics has not retained, a drop
// that panics has released.
unsafe impl BlockRefDynamic for State {
    type State = Self;

    unsafe fn clone(state_ptr: NonNull<Self>) -> NonNull<Self> {
        burn();
        // SAFETY: made by `Arc::into_raw`; the caller holds a reference.
        unsafe { Arc::increment_strong_count(state_ptr.as_ptr()) };
        state_ptr
    }

    unsafe fn drop(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Arc::into_raw`; the caller gives its reference up.
        unsafe { Arc::decrement_strong_count(state_ptr.as_ptr()) };
        burn();
    }
}

// SAFETY: a static lives as long as anything.
unsafe impl BlockRefDynamicWithMeta for State {
    unsafe fn meta(_: NonNull<Self>) -> NonNull<dyn BlockMeta> {
        NonNull::from(&META as &dyn BlockMeta)
    }
}

fn state(alive: &Arc<()>) -> State {
    State {
        count: RefCount::new(1),
        alive: Arc::clone(alive),
        memory: [MaybeUninit::uninit(); 4],
    }
}

fn counted(alive: &Arc<()>) -> BlockRef {
    let state = NonNull::from(Box::leak(Box::new(state(alive))));
    // SAFETY: the count of one is the reference made here.
    unsafe { BlockRef::new_counted(state, &COUNTED) }
}

fn dynamic(alive: &Arc<()>) -> BlockRef {
    let state = Arc::into_raw(Arc::new(state(alive)));
    let state = NonNull::new(state.cast_mut()).unwrap();
    // SAFETY: the pointer stands for one reference of the Arc.
    unsafe { BlockRef::new(state, &DYNAMIC) }
}

/// With a stock of references, if core counts them.
fn opened(block_ref: BlockRef) -> BlockRefBatch {
    // SAFETY: one byte that nobody reads or writes.
    let block = unsafe { Block::new(NonNull::dangling(), NonZero::<u32>::MIN, block_ref) };
    block.open().2
}

#[test]
fn callbacks_that_panic_at_any_call() {
    for make in [counted, dynamic] {
        sweep(|alive| {
            let first = make(alive);
            let second = first.clone();
            drop(first);
            assert_eq!(Arc::strong_count(alive), 2);
            let mut batch = opened(make(alive));
            let mut third = batch.split();
            let fourth = third.clone();
            let _ = third.merge(batch.split()).map_err(drop);
            drop((batch, fourth, second));
            // Two more, so that there are enough calls of either kind.
            drop((third, make(alive), make(alive)));
        });
    }
}

#[test]
fn owners_that_panic_at_any_call() {
    struct Owner(#[expect(dead_code, reason = "counted")] Arc<()>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            burn();
            b"bytes"
        }
    }
    impl Drop for Owner {
        fn drop(&mut self) {
            burn();
        }
    }
    sweep(|alive| {
        let one = OwnedMemory::hold(Owner(Arc::clone(alive)));
        let (_, len, mut owner) = OwnedMemory::hold(Owner(Arc::clone(alive))).into_parts();
        assert_eq!((one.as_slice(), len), (&b"bytes"[..], 5));
        let split = owner.split();
        drop((one, owner, split));
    });
}

#[test]
fn debug_shows_figures_and_no_addresses() {
    let alive = Arc::new(());
    for block_ref in [counted(&alive), dynamic(&alive)] {
        let here = format!("{block_ref:?}");
        let mut memory = [MaybeUninit::<u8>::uninit(); 4];
        let ptr = NonNull::from(&mut memory).cast();
        // SAFETY: four bytes that outlive the block and that nobody else touches.
        let block = unsafe { Block::new(ptr, NonZero::new(4).unwrap(), block_ref) };
        let lent = format!("{block:?}");
        assert!(lent.contains("len: 4"), "{lent}");
        let (_, _, batch) = block.open();
        let opened = format!("{batch:#?}");
        for text in [here, lent, opened] {
            assert!(text.contains("counted: ") && !text.contains("0x"), "{text}");
        }
    }
    let held = format!("{:?}", OwnedMemory::hold(*b"secret"));
    assert!(held.contains("len: 6"), "{held}");
    assert!(!held.contains("115") && !held.contains("0x"), "{held}");
    assert!(format!("{COUNTED:?} {DYNAMIC:?}").contains("BlockRefVTable"));
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// What the functions of a table do is the business of unsafe code: a function that safe
/// code may call implements `Fn`, one that it may not does not.
#[test]
fn the_functions_of_a_table_are_out_of_the_reach_of_safe_code() {
    struct Probe<F>(F);
    impl<R, F: Fn(NonNull<State>) -> R> Probe<F> {
        const fn is_safe(&self) -> bool {
            true
        }
    }
    trait Otherwise {
        fn is_safe(&self) -> bool {
            false
        }
    }
    impl<F> Otherwise for &Probe<F> {}

    fn safe(_: NonNull<State>) {}
    let known = &Probe(safe);
    assert!(known.is_safe(), "or the probe sees nothing");
    let clone = &Probe(<State as BlockRefDynamic>::clone);
    let drop = &Probe(<State as BlockRefDynamic>::drop);
    let meta = &Probe(<State as BlockRefDynamicWithMeta>::meta);
    let release = &Probe(<State as BlockRefCounted>::release);
    assert!(!clone.is_safe() && !drop.is_safe());
    assert!(!meta.is_safe() && !release.is_safe());
}

/// Two threads at the limit: both are stopped there or neither passes it.
#[test]
fn a_count_may_reach_its_limit_and_come_back() {
    let count = RefCount::new(RefCount::MAX - 2);
    let retained = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                count.retain(1);
                // Relaxed: partner of nothing; read after the join.
                retained.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(retained.into_inner(), 2);
    assert!(count.is_sole(RefCount::MAX));
    assert!(!count.release(2));
    assert!(count.release(RefCount::MAX - 2));
}

#[cfg(not(miri))]
mod children {
    use std::process::Command;

    use bytesbuf_core::RefCount;

    const HOW: &str = "BYTESBUF_TEST_RETAIN";

    #[test]
    #[ignore = "aborts"]
    fn child_that_retains_too_much() {
        let how = std::env::var(HOW).unwrap();
        let (start, more) = how.split_once(' ').unwrap();
        let count = RefCount::new(start.parse().unwrap());
        println!("begins");
        count.retain(more.parse().unwrap());
        println!("comes back");
    }

    #[test]
    fn a_count_that_passes_its_limit_ends_the_process() {
        const MAX: usize = RefCount::MAX;
        for (start, more) in [
            (MAX, 1),
            (MAX - 1, 2),
            (1, MAX),
            (2, usize::MAX - 1),
            (1, usize::MAX),
            (MAX, MAX),
        ] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--ignored", "--nocapture"])
                .arg("children::child_that_retains_too_much")
                .env(HOW, format!("{start} {more}"))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("begins"), "{start} + {more}: {said}");
            assert!(!said.contains("comes back"), "{start} + {more}: {said}");
            // An abort, not a panic that the harness reports.
            assert!(!output.status.success(), "{start} + {more}");
            assert!(!said.contains("test result"), "{start} + {more}: {said}");
        }
    }
}
