//! Which thread caches a pool has, what the ones that are gone have counted, and
//! how their magazines are reached from another thread.
//!
//! A list through the caches themselves, under a lock: nothing is allocated or
//! freed while it is held, and no other lock but that of a slab store is taken.
//! Taken when a thread first uses a pool, when it stops doing so, when the last
//! handle goes, to trim and when somebody asks for statistics.
//!
//! # Invariants
//! * **G1** A cache in the list is alive: it leaves before it is freed (I1).
//! * **G2** The links of all caches of a pool, and what their last ticks were, are
//!   accessed under its lock only (I2).
//! * **G3** Once `closed` is set, nobody joins, and every cache in the list has
//!   been told to retire.
//! * **G4** Caches are frozen under the lock only, and none is when it is let go.
#![expect(unsafe_code, reason = "an intrusive list of raw pointers")]

use std::ptr::NonNull;

use crate::barrier;
use crate::list::List;
use crate::magazine::Magazine;
use crate::size_class::{Class, MAX_CLASSES};
use crate::sync::{Mutex, lock};
use crate::tally::Tally;
use crate::thread_cache::ThreadCache;

pub(crate) struct Registry(Mutex<Caches>);

struct Caches {
    list: List<ThreadCache>,
    closed: bool,
    gone: [Tally; MAX_CLASSES],
}

// SAFETY: the list is used under the lock only, and of a cache it leads to, only
// the links (G2), what is atomic, and magazines as C2 says.
unsafe impl Send for Caches {}

impl Registry {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Caches {
            list: List::new(),
            closed: false,
            gone: [Tally::default(); MAX_CLASSES],
        }))
    }

    /// Adds a cache, unless the pool is closed. Returns whether it did.
    ///
    /// # Safety
    /// The cache is alive, on no list, and stays alive until
    /// [`leave`](Self::leave) (G1).
    pub(crate) unsafe fn join(&self, cache: NonNull<ThreadCache>) -> bool {
        let mut caches = lock(&self.0);
        if !caches.closed {
            // SAFETY: as the caller promises.
            unsafe { caches.list.push(cache) };
        }
        !caches.closed
    }

    /// Takes a cache off and keeps its figures. Returns whether the pool is
    /// closed.
    ///
    /// # Safety
    /// The cache is on this list.
    pub(crate) unsafe fn leave(&self, cache: NonNull<ThreadCache>) -> bool {
        let mut caches = lock(&self.0);
        // SAFETY: as the caller promises.
        unsafe { caches.list.remove(cache) };
        // SAFETY: G1: alive until the caller frees it.
        let cache = unsafe { cache.as_ref() };
        add(&mut caches.gone, cache);
        caches.closed
    }

    /// Lets nobody join any more and tells all caches to retire (G3).
    pub(crate) fn close(&self) {
        let mut caches = lock(&self.0);
        caches.closed = true;
        caches.list.iter().for_each(ThreadCache::retire);
    }

    /// Shows the magazines of the caches that are `wanted` to `take`, which may
    /// empty them but neither allocate nor free. A thread that is inside of its
    /// cache at this moment is told to flush it itself; so are all of them if the
    /// system has no barrier.
    pub(crate) fn reach(
        &self,
        mut wanted: impl FnMut(&ThreadCache) -> bool,
        mut take: impl FnMut(Class, &mut Magazine),
    ) {
        let caches = lock(&self.0);
        caches.list.iter().for_each(ThreadCache::freeze);
        let reachable = barrier::heavy();
        for cache in caches.list.iter().filter(|cache| wanted(cache)) {
            if !reachable || cache.is_inside() {
                cache.order_flush();
                continue;
            }
            for class in Class::all() {
                // SAFETY: C2: frozen, a heavy barrier, seen outside, all under the
                // lock.
                let magazines = unsafe { cache.frozen_magazines(class) };
                for magazine in magazines.both() {
                    take(class, magazine);
                }
            }
        }
        caches.list.iter().for_each(ThreadCache::thaw);
    }

    /// Returns when nobody is in the middle of [`reach`](Self::reach) any more.
    pub(crate) fn wait(&self) {
        drop(lock(&self.0));
    }

    /// The figures of all caches, live and gone, and the number of live ones.
    pub(crate) fn tally(&self) -> ([Tally; MAX_CLASSES], usize) {
        let caches = lock(&self.0);
        let mut sums = caches.gone;
        let mut live = 0;
        for cache in caches.list.iter() {
            add(&mut sums, cache);
            live += 1;
        }
        (sums, live)
    }
}

fn add(sums: &mut [Tally; MAX_CLASSES], cache: &ThreadCache) {
    for (sum, counters) in sums.iter_mut().zip(cache.counters()) {
        sum.add(counters.read());
    }
}
