//! What the scenarios need of their engine, and a provider that can tell when
//! something went wrong.

extern crate std;

use core::ptr::NonNull;
use std::boxed::Box;

#[cfg(bytesbuf_loom)]
pub(super) use loom::{
    alloc::Track,
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
#[cfg(not(bytesbuf_loom))]
pub(super) use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{BlockRef, BlockRefBatch, BlockRefCounted, BlockRefVTable, RefCount};

/// Runs a scenario: every execution under loom, a number of them elsewhere.
#[cfg(bytesbuf_loom)]
pub(super) fn model(scenario: impl Fn() + Send + Sync + 'static) {
    loom::model(scenario);
}

/// Runs a scenario: every execution under loom, a number of them elsewhere.
#[cfg(not(bytesbuf_loom))]
pub(super) fn model(scenario: impl Fn() + Send + Sync + 'static) {
    for _ in 0..rounds() {
        scenario();
    }
}

/// How often a scenario is run: as `BYTESBUF_ROUNDS` says, if it is set.
#[cfg(not(bytesbuf_loom))]
fn rounds() -> u32 {
    let by_default = if cfg!(miri) { 8 } else { 2_000 };
    let said = std::env::var("BYTESBUF_ROUNDS");
    said.map_or(by_default, |rounds| rounds.parse().expect("a number"))
}

/// Leak detection is loom's; elsewhere the allocator of the run sees to it.
#[cfg(not(bytesbuf_loom))]
pub(super) struct Track<T>(T);

#[cfg(not(bytesbuf_loom))]
impl<T> Track<T> {
    pub(super) fn new(value: T) -> Self {
        Self(value)
    }

    pub(super) fn get_ref(&self) -> &T {
        &self.0
    }
}

/// Loom checks each access for a race; elsewhere a plain cell.
#[cfg(not(bytesbuf_loom))]
pub(super) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(bytesbuf_loom))]
impl<T> UnsafeCell<T> {
    pub(super) fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    pub(super) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    pub(super) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// State of a one-byte block that records its release.
#[repr(C)]
pub(super) struct State {
    count: RefCount,
    memory: Track<UnsafeCell<u8>>,
    released: Arc<AtomicUsize>,
}

// SAFETY: the cell is handed from thread to thread by the protocol under test.
unsafe impl Send for State {}
// SAFETY: as above.
unsafe impl Sync for State {}

const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();

// SAFETY: repr(C) with the count first; the box lives until `release`.
unsafe impl BlockRefCounted for State {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak`, and the last reference is gone.
        let state = unsafe { Box::from_raw(state_ptr.as_ptr()) };
        // Overwriting the byte is what recycling or freeing a block amounts to: it
        // races with any use that does not happen before the last release.
        state.memory.get_ref().with_mut(|byte| {
            // SAFETY: sole access, if the protocol holds. Loom checks it.
            unsafe { *byte = 0xDD };
        });
        // Relaxed: partner of nothing; read after the threads are joined.
        state.released.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts releases of the blocks made with it.
pub(super) struct Watch(Arc<AtomicUsize>);

impl Watch {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(0)))
    }

    /// A block of one byte, with `value` in it.
    pub(super) fn lend(&self, value: u8) -> BlockRef {
        let state = Box::leak(Box::new(State {
            count: RefCount::new(1),
            memory: Track::new(UnsafeCell::new(value)),
            released: Arc::clone(&self.0),
        }));
        // SAFETY: the count of one is the reference made here.
        unsafe { BlockRef::new_counted(NonNull::from(state), &TABLE) }
    }

    /// Asserts how many blocks have come back.
    #[track_caller]
    pub(super) fn assert_released(&self, times: usize) {
        // Relaxed: partner of nothing; the threads are joined.
        assert_eq!(
            self.0.load(Ordering::Relaxed),
            times,
            "each block comes back once: at its last release, not before, not twice"
        );
    }
}

/// Reads the byte of a block through a reference to it.
pub(super) fn read(batch: &BlockRefBatch) -> u8 {
    // SAFETY: the batch keeps the state alive, and it is a `State`.
    let state = unsafe { batch.state().cast::<State>().as_ref() };
    state.memory.get_ref().with(|byte| {
        // SAFETY: shared bytes are not written while a reference exists.
        unsafe { *byte }
    })
}
