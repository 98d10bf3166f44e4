//! The state of a block, and sole ownership of a block.
//!
//! # Invariants
//! * **B1** A [`PoolBlock`] points at the live header of a block that is out of
//!   its slab (S3), with provenance over the slab; the payload is the one that the
//!   header names.
//! * **B2** Who holds a `PoolBlock` is the only one with access to the block. A
//!   block that is lent has no `PoolBlock`; its references own it instead.
//! * **B3** `pool`, `slab`, `payload`, `size`, `class` and `direct` are written once,
//!   before the `PoolBlock` exists. `filled` is atomic.
//! * **B4** `next_free` and `charge` are accessed by who owns the block: holds the
//!   `PoolBlock`, or has the slab that it is free in.
#![expect(unsafe_code, reason = "reads headers through raw pointers")]

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;

use bytesbuf_core::{Block, RefCount};

use crate::budget::Charge;
#[cfg(all(test, not(bytesbuf_loom)))]
use crate::poison;
use crate::shared::Shared;
use crate::size_class::Class;
use crate::slab::{Slab, SlabPlan};
use crate::sync::{AtomicU32, Ordering};

/// State of a block. The count is the first field, as core's contract wants. A
/// cache line of its own, so that blocks of different threads do not share one.
#[repr(C, align(64))]
pub(crate) struct Header {
    count: RefCount,
    pool: NonNull<Shared>,
    payload: NonNull<MaybeUninit<u8>>,
    slab: NonNull<Slab>,
    /// What is credited at the last release.
    charge: Cell<Option<Charge>>,
    size: NonZero<u32>,
    /// The next free block of the slab.
    next_free: Cell<u32>,
    /// Bytes from the start of the payload that may have been written since it was
    /// last wiped; `UNKNOWN` is all of them.
    filled: AtomicU32,
    class: Class,
    /// Whether the block is an allocation of its own.
    direct: bool,
    #[cfg(bytesbuf_loom)]
    probe: loom::cell::UnsafeCell<()>,
}

#[cfg(not(any(bytesbuf_loom, bytesbuf_shuttle)))]
const _: () = assert!(size_of::<Header>() == 64);

impl Header {
    /// Whoever fills the block has written nothing from `end` on, unless it has said
    /// so before.
    pub(crate) fn note_written(&self, end: usize) {
        let distance = end.saturating_sub(self.payload.addr().get());
        let bytes = u32::try_from(distance).map_or(ALL, |bytes| bytes.min(ALL));
        // Relaxed: partner of nothing. Who reads it has seen all references released,
        // and this call comes before the release of one (R3).
        let first =
            self.filled
                .compare_exchange(UNKNOWN, bytes, Ordering::Relaxed, Ordering::Relaxed);
        if first.is_err() {
            // Relaxed: partner of nothing, as above.
            self.filled.fetch_max(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes of payload.
    pub(crate) const fn size(&self) -> usize {
        self.size.get() as usize
    }

    pub(crate) fn new(
        pool: NonNull<Shared>,
        slab: NonNull<Slab>,
        payload: NonNull<MaybeUninit<u8>>,
        plan: &SlabPlan,
    ) -> Self {
        Self {
            count: RefCount::new(Block::STOCK),
            pool,
            payload,
            slab,
            size: plan.block_size(),
            charge: Cell::new(None),
            next_free: Cell::new(0),
            filled: AtomicU32::new(0),
            class: plan.class(),
            direct: plan.is_direct(),
            #[cfg(bytesbuf_loom)]
            probe: loom::cell::UnsafeCell::new(()),
        }
    }
}

/// Says that nobody tells how far a block is written.
pub(crate) const UNKNOWN: u32 = u32::MAX;

/// So many bytes and more are all of a block: of the largest it is all but the last byte,
/// so that no report of an end looks like [`UNKNOWN`].
const ALL: u32 = UNKNOWN - 1;

/// Sole ownership of a block, in a magazine or on the way. Has no destructor: who
/// drops one leaks the block.
#[must_use = "a block that is dropped here is leaked"]
pub(crate) struct PoolBlock(NonNull<Header>);

// SAFETY: B2: exclusive ownership of plain memory; count, charge and pool are usable
// on any thread.
unsafe impl Send for PoolBlock {}

impl PoolBlock {
    /// # Safety
    /// B1 and B3 hold for `header`, and the caller passes on the sole ownership
    /// (B2).
    #[inline]
    pub(crate) const unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    /// The way back to [`from_raw`](Self::from_raw).
    #[inline]
    pub(crate) const fn into_raw(self) -> NonNull<Header> {
        self.0
    }

    /// The pool that the block belongs to.
    #[inline]
    pub(crate) fn pool(&self) -> NonNull<Shared> {
        self.header().pool
    }

    /// The slab that the block belongs to.
    pub(crate) fn slab(&self) -> NonNull<Slab> {
        self.header().slab
    }

    /// The class of the block.
    #[inline]
    pub(crate) fn class(&self) -> Class {
        self.header().class
    }

    /// Bytes of payload.
    #[inline]
    pub(crate) fn size(&self) -> NonZero<u32> {
        self.header().size
    }

    /// The count of references, of which there are none at the moment (B2).
    #[inline]
    pub(crate) fn count(&self) -> &RefCount {
        &self.header().count
    }

    /// The first byte of the payload.
    #[inline]
    pub(crate) fn payload(&self) -> NonNull<MaybeUninit<u8>> {
        self.header().payload
    }

    /// Whether the block is an allocation of its own.
    pub(crate) fn is_direct(&self) -> bool {
        self.header().direct
    }

    /// What is charged for the block, at the caller's disposal (B4).
    pub(crate) fn take_charge(&self) -> Option<Charge> {
        self.header().charge.take()
    }

    /// Keeps a charge until the block is released (B4).
    pub(crate) fn set_charge(&self, charge: Option<Charge>) {
        self.header().charge.set(charge);
    }

    /// Bytes that may have been written since the block was last wiped.
    pub(crate) fn filled(&self) -> usize {
        // Relaxed: partner of nothing. Whoever raised it held a reference then (B2).
        let filled = self.header().filled.load(Ordering::Relaxed);
        let size = self.size().get();
        let bytes = if filled < ALL { filled.min(size) } else { size };
        bytes as usize
    }

    pub(crate) fn set_filled(&self, bytes: u32) {
        // Relaxed: partner of nothing; the caller owns the block.
        self.header().filled.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn next_free(&self) -> u32 {
        self.header().next_free.get()
    }

    pub(crate) fn set_next_free(&self, next: u32) {
        self.header().next_free.set(next);
    }

    /// Tells loom that the block is written here.
    #[cfg(bytesbuf_loom)]
    pub(crate) fn touch(&self) {
        self.header().probe.with_mut(|_| ());
    }

    /// Writes the first byte of the payload, which races with any other use that
    /// is not ordered with this one. Miri checks it.
    #[cfg(all(test, not(bytesbuf_loom)))]
    pub(crate) fn touch(&self) {
        poison::in_use(self.payload(), 1);
        // SAFETY: B1 and B2: in bounds, aligned, and nobody else has access.
        unsafe { self.payload().write(MaybeUninit::new(0xA5)) };
        poison::idle(self.payload(), 1);
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: B1, and no mutable reference to a header is ever made.
        unsafe { self.0.as_ref() }
    }
}

#[cfg(all(test, not(any(bytesbuf_loom, bytesbuf_shuttle))))]
mod tests {
    use super::*;

    /// What a header says of its payload, which it does not touch.
    #[track_caller]
    fn check(size: u32, reported: &[usize], expected: u32) {
        const PAYLOAD: usize = 64;
        let size = NonZero::new(size).unwrap();
        // Of the largest there is no slab where addresses have 32 bits.
        let Some(plan) = SlabPlan::new(Class::FIRST, size, 1, 64) else {
            return;
        };
        let payload = NonNull::new(std::ptr::without_provenance_mut(PAYLOAD)).unwrap();
        let header = Header::new(NonNull::dangling(), NonNull::dangling(), payload, &plan);
        // Relaxed: partner of nothing; one thread.
        header.filled.store(UNKNOWN, Ordering::Relaxed);
        for &end in reported {
            header.note_written(PAYLOAD + end);
        }
        // SAFETY: B1, B2: it lives until the end of this function, and nobody else has it.
        let block = unsafe { PoolBlock::from_raw(NonNull::from(&header)) };
        assert_eq!(block.filled(), expected as usize);
    }

    #[test]
    fn the_furthest_end_counts() {
        check(1024, &[], 1024);
        check(1024, &[0], 0);
        check(1024, &[100, 7], 100);
        check(1024, &[7, 100], 100);
        check(1024, &[1024, 100], 1024);
    }

    #[test]
    fn the_end_of_the_largest_block_is_remembered() {
        let all = u32::MAX;
        for end in [all, all - 1] {
            check(all, &[0, end as usize, 100], all);
        }
        check(all, &[0, all as usize - 2, 100], all - 2);
        check(all - 1, &[0, all as usize - 1, 100], all - 1);
    }
}
