//! What all threads of a pool share, and how long it lives.
//!
//! ```text
//!   handles ───── one count, one reference together ─────┐
//!   thread caches ── a stock of references each ─────────┤
//!   blocks lent, or in a thread's magazine ── one each ──┼──► Shared
//!   blocks in the depot ── none: they belong to it ──────┘
//! ```
//!
//! References move with the blocks: renting and releasing does not count. Only
//! when blocks enter or leave the depot or the allocator does a thread cache take
//! references from its stock or put them there, and only when the stock runs out
//! or over is there an atomic operation.
//!
//! # Invariants
//! * **P1** `refs` is the sum of: one while a handle exists; the stock of each
//!   thread cache, at least one; one for each block outside the depot and the
//!   allocator. So a `Shared` is alive for whoever holds one of these.
//! * **P2** Blocks in the depot are owned by the `Shared` and freed with it, so
//!   that none leaks, whoever stores one last.
//! * **P3** The last handle closes the pool. From then on no cache joins, and each
//!   cache drains the depot when it goes: no block stays longer than the caches
//!   and the blocks that are lent.
#![expect(unsafe_code, reason = "frees itself at the last reference")]

use std::ptr::NonNull;

use bytesbuf_core::RefCount;

use crate::depot::Depot;
use crate::registry::Registry;
use crate::size_class::{CLASSES, SizeClass};
use crate::slab;
use crate::sync::{AtomicBool, Ordering};
use crate::tally::{Counters, Tally};

pub(crate) struct Shared {
    refs: RefCount,
    handles: RefCount,
    closed: AtomicBool,
    depot: Depot,
    registry: Registry,
    /// Counts what happens outside of any thread cache.
    uncached: [Counters; CLASSES],
}

impl Shared {
    /// A shared object with one handle; `None` if the allocator refuses.
    pub(crate) fn create() -> Option<NonNull<Self>> {
        slab::try_box(Self {
            refs: RefCount::new(1),
            handles: RefCount::new(1),
            closed: AtomicBool::new(false),
            depot: Depot::new(),
            registry: Registry::new(),
            uncached: SizeClass::ALL.map(|_| Counters::new()),
        })
    }

    /// Adds `n` references (P1).
    pub(crate) fn retain(&self, n: usize) {
        self.refs.retain(n);
    }

    /// Gives up `n` references of a caller who keeps at least one.
    pub(crate) fn release_some(&self, n: usize) {
        let last = self.refs.release(n);
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
        // SAFETY: S2: `create` made it with `try_box`; the caller owns it.
        unsafe { slab::unbox(this) };
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
        self.drain();
    }

    /// Whether the last handle is gone. May be late; [`Registry::join`] is not.
    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: partner of the store in `close`, a hint.
        self.closed.load(Ordering::Relaxed)
    }

    /// Frees the blocks in the depot, which nobody else owns (P2).
    pub(crate) fn drain(&self) {
        for class in SizeClass::ALL {
            while let Some(mut magazine) = self.depot.take_filled(class) {
                while let Some(block) = magazine.pop() {
                    self.uncached(class).freed_shared();
                    slab::free(block);
                }
            }
        }
    }

    pub(crate) const fn depot(&self) -> &Depot {
        &self.depot
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) const fn uncached(&self, class: SizeClass) -> &Counters {
        &self.uncached[class.index()]
    }

    /// Figures by class, and the number of thread caches.
    pub(crate) fn tally(&self) -> ([Tally; CLASSES], usize) {
        let (mut sums, caches) = self.registry.tally();
        for (sum, counters) in sums.iter_mut().zip(&self.uncached) {
            sum.add(counters.read());
        }
        (sums, caches)
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    static_assertions::assert_impl_all!(super::Shared: Send, Sync);
}
