//! What a model checker puts in the place of the real things: loom, or shuttle.
//!
//! Loom goes through every interleaving and every value that a weak load may return;
//! shuttle picks interleavings at random, of models that are too big for loom, and
//! takes every ordering for the strongest one.

use std::collections::VecDeque;
use std::mem;
use std::time::Instant;

#[cfg(bytesbuf_loom)]
use loom as checker;
#[cfg(bytesbuf_shuttle)]
use shuttle as checker;

use checker::sync::Condvar;
pub(crate) use checker::sync::atomic::fence;
pub(crate) use checker::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
pub(crate) use checker::sync::{Arc, Mutex, MutexGuard};

#[cfg(bytesbuf_shuttle)]
pub(crate) use super::memory::{alloc, dealloc};
#[cfg(bytesbuf_loom)]
pub(crate) use loom::alloc::{alloc, dealloc};

/// What a thread sleeps on until another raises it.
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

    /// Models have no clock: under loom deadlines never come, under shuttle at any
    /// time.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut raised = super::lock(&self.raised);
        while !*raised {
            #[cfg(bytesbuf_shuttle)]
            if deadline.is_some() {
                drop(raised);
                let in_time = passes_some_time();
                raised = super::lock(&self.raised);
                if in_time {
                    continue;
                }
                break;
            }
            let _ = deadline;
            let woken = self.changed.wait(raised);
            raised = woken.expect("nothing panics with this lock held");
        }
        mem::take(&mut *raised)
    }
}

/// Lets others go on. `false` if a deadline has come by then, as chance has it.
#[cfg(bytesbuf_shuttle)]
fn passes_some_time() -> bool {
    use shuttle::rand::{Rng, thread_rng};
    shuttle::thread::yield_now();
    thread_rng().gen_ratio(3, 4)
}

/// Model checkers report by panicking: it must get out.
pub(crate) fn quietly(foreign: impl FnOnce()) {
    foreign();
}

/// Stands in for crossbeam's queue, which model checkers cannot look into: bounded,
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
