//! The door to atomics, locks, the queue and the allocator: the real ones, or
//! loom's under `--cfg bytesbuf_loom`.
//!
//! Nothing else in this crate names them (`local`, which loom never sees, names
//! `thread_local!`).

pub(crate) use self::engine::{
    ArrayQueue, AtomicBool, AtomicU8, AtomicUsize, Mutex, MutexGuard, Ordering, alloc, dealloc,
};

#[cfg(any(bytesbuf_loom, miri))]
pub(crate) use self::engine::fence;
#[cfg(not(any(bytesbuf_loom, miri)))]
pub(crate) use std::sync::atomic::compiler_fence;

#[cfg(not(bytesbuf_loom))]
mod engine {
    pub(crate) use std::alloc::{alloc, dealloc};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
    #[cfg(miri)]
    pub(crate) use std::sync::atomic::fence;
    pub(crate) use std::sync::{Mutex, MutexGuard};

    pub(crate) use crossbeam_queue::ArrayQueue;
}

#[cfg(bytesbuf_loom)]
mod engine {
    use std::collections::VecDeque;

    pub(crate) use loom::alloc::{alloc, dealloc};
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
    pub(crate) use loom::sync::atomic::fence;
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    /// Stands in for crossbeam's queue, which loom cannot look into: bounded,
    /// first in first out, and a pop happens after the push of what it returns.
    pub(crate) struct ArrayQueue<T> {
        items: Mutex<VecDeque<T>>,
        capacity: usize,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            Self {
                items: Mutex::new(VecDeque::with_capacity(capacity)),
                capacity,
            }
        }

        pub(crate) fn push(&self, item: T) -> Result<(), T> {
            let mut items = super::lock(&self.items);
            if items.len() == self.capacity {
                return Err(item);
            }
            items.push_back(item);
            Ok(())
        }

        pub(crate) fn len(&self) -> usize {
            super::lock(&self.items).len()
        }

        pub(crate) fn pop(&self) -> Option<T> {
            super::lock(&self.items).pop_front()
        }
    }
}

/// Locks, poisoned or not: what this crate protects is consistent at every point
/// where a panic could strike.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}
