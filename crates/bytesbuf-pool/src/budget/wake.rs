//! Waking who was granted, outside of the lock.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Instant;

use crate::sync::{Flag, MODEL, quietly};

/// Wakers of one go: settling a long queue needs bounded memory.
pub(super) const BATCH: usize = if MODEL || cfg!(miri) { 1 } else { 16 };

/// Who is to be woken once the lock is released.
pub(super) struct Batch {
    wakers: [Option<Waker>; BATCH],
    len: usize,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            wakers: [const { None }; BATCH],
            len: 0,
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len == BATCH
    }

    /// Must not be full.
    pub(super) fn push(&mut self, waker: Option<Waker>) {
        self.wakers[self.len] = waker;
        self.len += 1;
    }

    /// Wakes them. A waker that panics does not keep the others from being woken,
    /// nor does its panic get out: crediting does not fail.
    pub(super) fn wake(self) {
        for waker in self.wakers.into_iter().take(self.len).flatten() {
            quietly(|| waker.wake());
        }
    }
}

/// A thread that waits: woken like a task.
pub(super) struct Parker(Flag);

impl Parker {
    // The standard `Arc`, also under loom: `Wake` is made for it.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Flag::new()))
    }

    /// Sleeps until woken, once for any number of wakes since the last time.
    /// `false` if the deadline came first; `None` is never.
    pub(super) fn park(&self, deadline: Option<Instant>) -> bool {
        self.0.wait(deadline)
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.raise();
    }
}
