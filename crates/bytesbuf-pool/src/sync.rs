//! The door to atomics, locks, waiting, the queue and the allocator: the real ones, or
//! those of a model checker, loom's under `--cfg bytesbuf_loom` and shuttle's under
//! `--cfg bytesbuf_shuttle`.
//!
//! Nothing else in this crate names them (`local`, which loom never sees, names
//! `thread_local!`).

pub(crate) use self::engine::{
    Arc, ArrayQueue, AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Flag, Mutex, MutexGuard,
    Ordering, alloc, dealloc, quietly,
};

#[cfg(any(bytesbuf_loom, bytesbuf_shuttle, miri))]
pub(crate) use self::engine::fence;
#[cfg(not(any(bytesbuf_loom, bytesbuf_shuttle, miri)))]
pub(crate) use std::sync::atomic::compiler_fence;

/// Whether a model checker runs this: constants shrink, so that boundaries are
/// reached in few steps.
pub(crate) const MODEL: bool = cfg!(any(bytesbuf_loom, bytesbuf_shuttle));

#[cfg(not(any(bytesbuf_loom, bytesbuf_shuttle)))]
mod engine {
    pub(crate) use std::alloc::{alloc, dealloc};
    #[cfg(miri)]
    pub(crate) use std::sync::atomic::fence;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard};

    use std::mem;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Condvar, PoisonError};
    use std::time::Instant;

    pub(crate) use crossbeam_queue::ArrayQueue;

    use super::lock;

    /// What a thread sleeps on until another raises it. One thread waits at a time.
    ///
    /// Of std, whose locks do not allocate on Linux and Windows: the allocator may raise a
    /// flag, by dropping a charge, while this thread begins to wait for the same one.
    pub(crate) struct Flag {
        raised: Mutex<bool>,
        changed: Condvar,
    }

    impl Flag {
        pub(crate) const fn new() -> Self {
            Self {
                raised: Mutex::new(false),
                changed: Condvar::new(),
            }
        }

        /// Raises the flag; who waits goes on.
        pub(crate) fn raise(&self) {
            *lock(&self.raised) = true;
            self.changed.notify_one();
        }

        /// Waits until the flag is raised, and lowers it. `false` if the deadline
        /// came first; `None` is never.
        pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
            let mut raised = lock(&self.raised);
            while !*raised {
                let Some(deadline) = deadline else {
                    let woken = self.changed.wait(raised);
                    raised = woken.unwrap_or_else(PoisonError::into_inner);
                    continue;
                };
                let left = deadline.saturating_duration_since(Instant::now());
                let woken = self.changed.wait_timeout(raised, left);
                let timeout;
                (raised, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                if timeout.timed_out() {
                    break;
                }
            }
            mem::take(&mut *raised)
        }
    }

    /// Runs foreign code where a panic must not get out. The panic hook has
    /// reported it. If dropping what it carries panics too, the rest is leaked.
    pub(crate) fn quietly(foreign: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(foreign)) {
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(panic)));
            mem::forget(dropped);
        }
    }
}

#[cfg(any(bytesbuf_loom, bytesbuf_shuttle))]
#[path = "sync/model.rs"]
mod engine;

#[cfg(bytesbuf_shuttle)]
#[path = "sync/memory.rs"]
pub(crate) mod memory;

/// Locks, poisoned or not: what this crate protects is consistent at every point
/// where a panic could strike.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}
