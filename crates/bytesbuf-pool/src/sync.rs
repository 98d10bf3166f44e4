//! The door to atomics, locks, waiting, the queue and the allocator: the real ones, or
//! loom's under `--cfg bytesbuf_loom`.
//!
//! Nothing else in this crate names them (`local`, which loom never sees, names
//! `thread_local!`).

pub(crate) use self::engine::{
    Arc, ArrayQueue, AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Flag, Mutex, MutexGuard,
    Ordering, alloc, dealloc, quietly,
};

#[cfg(any(bytesbuf_loom, miri))]
pub(crate) use self::engine::fence;
#[cfg(not(any(bytesbuf_loom, miri)))]
pub(crate) use std::sync::atomic::compiler_fence;

#[cfg(not(bytesbuf_loom))]
mod engine {
    pub(crate) use std::alloc::{alloc, dealloc};
    #[cfg(miri)]
    pub(crate) use std::sync::atomic::fence;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard};

    use std::mem;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Instant;

    pub(crate) use crossbeam_queue::ArrayQueue;

    /// What a thread sleeps on until another raises it. One thread waits at a time.
    pub(crate) struct Flag {
        raised: waiting::Mutex<bool>,
        changed: waiting::Condvar,
    }

    impl Flag {
        pub(crate) const fn new() -> Self {
            Self {
                raised: waiting::Mutex::new(false),
                changed: waiting::Condvar::new(),
            }
        }

        /// Raises the flag; who waits goes on.
        pub(crate) fn raise(&self) {
            *waiting::lock(&self.raised) = true;
            self.changed.notify_one();
        }

        /// Waits until the flag is raised, and lowers it. `false` if the deadline
        /// came first; `None` is never.
        pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
            let mut raised = waiting::lock(&self.raised);
            while !*raised {
                let in_time;
                (raised, in_time) = waiting::wait(&self.changed, raised, deadline);
                if !in_time {
                    break;
                }
            }
            mem::take(&mut *raised)
        }
    }

    /// Where threads wait on purpose.
    #[cfg(not(miri))]
    mod waiting {
        use std::time::Instant;

        use parking_lot::MutexGuard;
        pub(super) use parking_lot::{Condvar, Mutex};

        pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
            mutex.lock()
        }

        /// `false` if the deadline has come.
        pub(super) fn wait<'a, T>(
            condvar: &Condvar,
            mut guard: MutexGuard<'a, T>,
            deadline: Option<Instant>,
        ) -> (MutexGuard<'a, T>, bool) {
            let in_time = match deadline {
                None => {
                    condvar.wait(&mut guard);
                    true
                }
                Some(at) => !condvar.wait_until(&mut guard, at).timed_out(),
            };
            (guard, in_time)
        }
    }

    /// The same of std: parking_lot turns integers into pointers, which miri's
    /// strict mode refuses.
    #[cfg(miri)]
    mod waiting {
        pub(super) use std::sync::{Condvar, Mutex};
        use std::sync::{MutexGuard, PoisonError};
        use std::time::Instant;

        pub(super) use crate::sync::lock;

        pub(super) fn wait<'a, T>(
            condvar: &Condvar,
            guard: MutexGuard<'a, T>,
            deadline: Option<Instant>,
        ) -> (MutexGuard<'a, T>, bool) {
            let Some(at) = deadline else {
                let woken = condvar.wait(guard);
                return (woken.unwrap_or_else(PoisonError::into_inner), true);
            };
            let left = at.saturating_duration_since(Instant::now());
            let woken = condvar.wait_timeout(guard, left);
            let (guard, outcome) = woken.unwrap_or_else(PoisonError::into_inner);
            (guard, !outcome.timed_out())
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

#[cfg(bytesbuf_loom)]
mod engine {
    use std::collections::VecDeque;

    pub(crate) use loom::alloc::{alloc, dealloc};
    pub(crate) use loom::sync::atomic::fence;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};

    use std::mem;
    use std::time::Instant;

    use loom::sync::Condvar;

    /// What a thread sleeps on until another raises it. Loom has no time:
    /// deadlines never come.
    pub(crate) struct Flag {
        raised: Mutex<bool>,
        changed: Condvar,
    }

    impl Flag {
        pub(crate) fn new() -> Self {
            Self {
                raised: Mutex::new(false),
                changed: Condvar::new(),
            }
        }

        pub(crate) fn raise(&self) {
            *super::lock(&self.raised) = true;
            self.changed.notify_one();
        }

        pub(crate) fn wait(&self, _deadline: Option<Instant>) -> bool {
            let mut raised = super::lock(&self.raised);
            while !*raised {
                raised = self.changed.wait(raised).expect("loom does not poison");
            }
            mem::take(&mut *raised)
        }
    }

    /// Loom reports by panicking: it must get out.
    pub(crate) fn quietly(foreign: impl FnOnce()) {
        foreign();
    }

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
