//! Which thread caches a pool has, and what the ones that are gone have counted.
//!
//! A doubly linked list through the caches themselves, under a lock: nothing is
//! allocated to join it, and nothing outside this file runs while it is locked.
//! Taken when a thread first uses a pool, when it stops doing so, when the last
//! handle goes and when somebody asks for statistics.
//!
//! # Invariants
//! * **G1** A cache in the list is alive: it is taken off before it is freed.
//! * **G2** The links of all caches of a pool are accessed under its lock only.
//! * **G3** Once `closed` is set, nobody joins, and every cache in the list has
//!   been told to retire.
#![expect(unsafe_code, reason = "an intrusive list of raw pointers")]

use std::cell::Cell;
use std::ptr::NonNull;

use crate::size_class::CLASSES;
use crate::sync::{Mutex, lock};
use crate::tally::Tally;
use crate::thread_cache::ThreadCache;

type Link = Option<NonNull<ThreadCache>>;

/// A cache's place in the list (G2).
pub(crate) struct Links {
    before: Cell<Link>,
    after: Cell<Link>,
}

impl Links {
    pub(crate) const fn new() -> Self {
        Self {
            before: Cell::new(None),
            after: Cell::new(None),
        }
    }
}

pub(crate) struct Registry(Mutex<List>);

struct List {
    head: Link,
    closed: bool,
    gone: [Tally; CLASSES],
}

// SAFETY: the list of pointers is used under the lock only, and of a cache it
// leads to, only the links (G2) and what is atomic.
unsafe impl Send for List {}

impl Registry {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(List {
            head: None,
            closed: false,
            gone: [Tally::default(); CLASSES],
        }))
    }

    /// Adds a cache, unless the pool is closed. Returns whether it did.
    ///
    /// # Safety
    /// The cache is alive, on no list, and stays alive until
    /// [`leave`](Self::leave) (G1).
    pub(crate) unsafe fn join(&self, cache: NonNull<ThreadCache>) -> bool {
        let mut list = lock(&self.0);
        if list.closed {
            return false;
        }
        // SAFETY: alive, as the caller promises.
        let links = unsafe { cache.as_ref() }.links();
        links.after.set(list.head);
        if let Some(head) = list.head {
            // SAFETY: G1: it is on the list.
            unsafe { head.as_ref() }.links().before.set(Some(cache));
        }
        list.head = Some(cache);
        true
    }

    /// Takes a cache off and keeps its figures. Returns whether the pool is
    /// closed.
    ///
    /// # Safety
    /// The cache is on this list.
    pub(crate) unsafe fn leave(&self, cache: NonNull<ThreadCache>) -> bool {
        let mut list = lock(&self.0);
        // SAFETY: G1: it is on the list.
        let cache = unsafe { cache.as_ref() };
        let (before, after) = (cache.links().before.get(), cache.links().after.get());
        match before {
            // SAFETY: G1: a neighbour on the list.
            Some(before) => unsafe { before.as_ref() }.links().after.set(after),
            None => list.head = after,
        }
        if let Some(after) = after {
            // SAFETY: G1: a neighbour on the list.
            unsafe { after.as_ref() }.links().before.set(before);
        }
        for (sum, counters) in list.gone.iter_mut().zip(cache.counters()) {
            sum.add(counters.read());
        }
        list.closed
    }

    /// Lets nobody join any more and tells all caches to retire (G3).
    pub(crate) fn close(&self) {
        let mut list = lock(&self.0);
        list.closed = true;
        let mut next = list.head;
        while let Some(cache) = next {
            // SAFETY: G1: it is on the list.
            let cache = unsafe { cache.as_ref() };
            cache.retire();
            next = cache.links().after.get();
        }
    }

    /// The figures of all caches, live and gone, and the number of live ones.
    pub(crate) fn tally(&self) -> ([Tally; CLASSES], usize) {
        let list = lock(&self.0);
        let mut sums = list.gone;
        let mut caches = 0;
        let mut next = list.head;
        while let Some(cache) = next {
            // SAFETY: G1: it is on the list.
            let cache = unsafe { cache.as_ref() };
            for (sum, counters) in sums.iter_mut().zip(cache.counters()) {
                sum.add(counters.read());
            }
            caches += 1;
            next = cache.links().after.get();
        }
        (sums, caches)
    }
}
