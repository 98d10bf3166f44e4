//! What all threads of a pool share, and how long it lives.
//!
//! ```text
//!   handles ───── one count, one reference together ─────┐
//!   thread caches ── a stock of references each ─────────┤
//!   blocks lent, or in a thread's magazine ── one each ──┼──► Shared
//!   blocks in the depot or a slab ── none ───────────────┘
//! ```
//!
//! References move with the blocks: renting and releasing does not count. Only
//! when blocks enter or leave the depot or the slabs does a thread cache take
//! references from its stock or put them there, and only when the stock runs out
//! or over is there an atomic operation.
//!
//! # Invariants
//! * **P1** `refs` is the sum of: one while a handle exists; the stock of each
//!   thread cache, at least one; one for each block outside the depot and the
//!   slabs. So a `Shared` is alive for whoever holds one of these.
//! * **P2** Blocks in the depot are owned by the `Shared`; they go back to their
//!   slabs with it at the latest, and so does every slab to the allocator.
//! * **P3** The last handle closes the pool. From then on no cache joins, and each
//!   cache drains the depot when it goes: no block stays longer than the caches
//!   and the blocks that are lent.
#![expect(unsafe_code, reason = "frees itself at the last reference")]

use std::array;
use std::ptr::NonNull;

use bytesbuf_core::RefCount;

use crate::alloc::{try_box, unbox};
use crate::clock::Clock;
use crate::depot::Depot;
use crate::events;
use crate::ledger::Ledger;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::size_class::{Class, ClassTable, MAX_CLASSES};
use crate::slab_store::SlabStore;
use crate::sync::{AtomicBool, AtomicUsize, Ordering};
use crate::tally::{Counters, Tally};

pub(crate) struct Shared {
    /// Read on every rent and never written.
    settings: Settings,
    closed: AtomicBool,
    clock: Clock,
    depot: Depot,
    slabs: [SlabStore; MAX_CLASSES],
    registry: Registry,
    /// Counts what happens outside of any thread cache.
    uncached: [Counters; MAX_CLASSES],
    direct: Direct,
    /// Who holds the blocks that are out; of no size without the feature `holders`.
    ledger: Ledger,
    refs: RefCount,
    handles: RefCount,
}

/// Counts the blocks that are an allocation of their own.
pub(crate) struct Direct {
    blocks: Counters,
    /// Payload of those in use.
    bytes: AtomicUsize,
    /// What they take from the allocator.
    allocated: AtomicUsize,
    refused: AtomicUsize,
}

impl Shared {
    /// A shared object with one handle; `None` if the allocator refuses.
    pub(crate) fn create(settings: Settings) -> Option<NonNull<Self>> {
        try_box(Self {
            closed: AtomicBool::new(false),
            clock: Clock::new(settings.idle_decay),
            depot: Depot::new(&settings.classes, settings.max_cached_bytes),
            slabs: array::from_fn(|_| SlabStore::new()),
            registry: Registry::new(),
            uncached: array::from_fn(|_| Counters::new()),
            direct: Direct {
                blocks: Counters::new(),
                bytes: AtomicUsize::new(0),
                allocated: AtomicUsize::new(0),
                refused: AtomicUsize::new(0),
            },
            ledger: Ledger::new(settings.sampling),
            refs: RefCount::new(1),
            handles: RefCount::new(1),
            settings,
        })
    }

    /// Adds `n` references (P1).
    pub(crate) fn retain(&self, n: usize) {
        self.refs.retain(n);
    }

    /// Gives up `n` references of a caller who keeps at least one.
    pub(crate) fn release_some(&self, n: usize) {
        let last = n > 0 && self.refs.release(n);
        debug_assert!(!last, "P1: the caller keeps a reference");
    }

    /// Gives up `n` references and frees the object if they were the last.
    ///
    /// # Safety
    /// The caller holds `n` references (P1) and does not use them again.
    pub(crate) unsafe fn release(this: NonNull<Self>, n: usize) {
        // A reference to the count alone: the rest may be freed by another thread
        // before `release` returns.
        // SAFETY: P1: alive while the caller holds references.
        let refs = unsafe { &(*this.as_ptr()).refs };
        if refs.release(n) {
            // SAFETY: P1 and R3: nobody refers to it any more.
            unsafe { Self::destroy(this) };
        }
    }

    /// # Safety
    /// The last reference is gone, and everything done through them happened
    /// before.
    #[cold]
    unsafe fn destroy(this: NonNull<Self>) {
        // SAFETY: alive until the end of this function.
        unsafe { this.as_ref() }.drain();
        // SAFETY: A2: `create` made it with `try_box`; the caller owns it.
        unsafe { unbox(this) };
    }

    /// One more handle.
    pub(crate) fn add_handle(&self) {
        self.handles.retain(1);
    }

    /// Gives up a handle. `true` means that it was the last: the caller closes the
    /// pool and then releases the reference of the handles.
    ///
    /// # Safety
    /// The caller owns a handle, and does not use it again but to do the above.
    pub(crate) unsafe fn drop_handle(this: NonNull<Self>) -> bool {
        // As in `release`.
        // SAFETY: P1: alive while there is a handle.
        let handles = unsafe { &(*this.as_ptr()).handles };
        handles.release(1)
    }

    /// Ends caching (P3).
    pub(crate) fn close(&self) {
        // Relaxed: partner of the load in `is_closed`, a hint; what decides is
        // under the registry's lock.
        self.closed.store(true, Ordering::Relaxed);
        self.registry.close();
        // Threads that stay idle would keep their magazines. P1 holds: the last
        // handle's reference is still there.
        self.trim();
        events::closed(self);
    }

    /// Whether the last handle is gone. May be late; [`Registry::join`] is not.
    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: partner of the store in `close`, a hint.
        self.closed.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    #[inline]
    pub(crate) const fn classes(&self) -> &ClassTable {
        &self.settings.classes
    }

    /// Bytes of payload in a block.
    pub(crate) const fn block_size(&self, class: Class) -> usize {
        self.classes().plan(class).slab.block_size().get() as usize
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) const fn depot(&self) -> &Depot {
        &self.depot
    }

    pub(crate) const fn slabs(&self, class: Class) -> &SlabStore {
        &self.slabs[class.index()]
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) const fn uncached(&self, class: Class) -> &Counters {
        &self.uncached[class.index()]
    }

    pub(crate) const fn direct(&self) -> &Direct {
        &self.direct
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Figures by class, and the number of thread caches.
    pub(crate) fn tally(&self) -> ([Tally; MAX_CLASSES], usize) {
        let (mut sums, caches) = self.registry.tally();
        for (sum, counters) in sums.iter_mut().zip(&self.uncached) {
            sum.add(counters.read());
        }
        (sums, caches)
    }
}

impl Direct {
    /// A block of `bytes` bytes was rented, in an allocation of `allocated` bytes.
    pub(crate) fn rented(&self, bytes: usize, allocated: usize) {
        self.blocks.fetched_and_rented_shared();
        // Relaxed: partner of nothing; a figure for people.
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Relaxed: partner of nothing; a figure for people.
        self.allocated.fetch_add(allocated, Ordering::Relaxed);
    }

    /// Such a block was released and freed.
    pub(crate) fn released(&self, bytes: usize, allocated: usize) {
        self.blocks.released_and_put_back_shared();
        // Relaxed: partner of nothing; a figure for people.
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        // Relaxed: partner of nothing; a figure for people.
        self.allocated.fetch_sub(allocated, Ordering::Relaxed);
    }

    /// The allocator had no memory for a block.
    pub(crate) fn refused(&self) {
        // Relaxed: partner of nothing; a figure for people.
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Blocks that the allocator had no memory for.
    pub(crate) fn refusals(&self) -> usize {
        // Relaxed: partner of nothing; a figure for people.
        self.refused.load(Ordering::Relaxed)
    }

    /// Blocks, their bytes of payload, and those taken from the allocator.
    pub(crate) fn figures(&self) -> (Tally, usize, usize) {
        // Relaxed: partner of nothing; a figure for people.
        let value = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (
            self.blocks.read(),
            value(&self.bytes),
            value(&self.allocated),
        )
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    static_assertions::assert_impl_all!(super::Shared: Send, Sync);
}
