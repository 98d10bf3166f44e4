//! What stands in front of a block's payload, and sole ownership of a block.
//!
//! ```text
//!   ┌──────────────────────────────┬─────────────────────────────────┐
//!   │ Header: count, pool, class   │ payload: 1, 4, 16 or 64 KiB     │
//!   └──────────────────────────────┴─────────────────────────────────┘
//!   aligned to 64                  aligned to 64
//! ```
//!
//! # Invariants
//! * **B1** A [`PoolBlock`] points at a live header at the start of an allocation
//!   made by `slab`, with its payload behind it, and its provenance covers both.
//! * **B2** Who holds a `PoolBlock` is the only one with access to the block. A
//!   block that is lent has no `PoolBlock`; its references own it instead.
//! * **B3** `pool` and `class` are written once, before the `PoolBlock` exists.
#![expect(unsafe_code, reason = "reads headers through raw pointers")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use bytesbuf_core::RefCount;

use crate::shared::Shared;
use crate::size_class::SizeClass;

/// Alignment of headers and payloads, in bytes.
pub(crate) const ALIGNMENT: usize = 64;

/// Distance from the start of a header to its payload, in bytes.
pub(crate) const PAYLOAD_OFFSET: usize = size_of::<Header>().next_multiple_of(ALIGNMENT);

/// State of a block. The count is the first field, as core's contract wants.
#[repr(C)]
pub(crate) struct Header {
    count: RefCount,
    pool: NonNull<Shared>,
    class: SizeClass,
    #[cfg(bytesbuf_loom)]
    probe: loom::cell::UnsafeCell<()>,
}

impl Header {
    pub(crate) fn new(pool: NonNull<Shared>, class: SizeClass) -> Self {
        Self {
            count: RefCount::new(1),
            pool,
            class,
            #[cfg(bytesbuf_loom)]
            probe: loom::cell::UnsafeCell::new(()),
        }
    }
}

/// Sole ownership of a block, in a magazine or on the way. Has no destructor: who
/// drops one leaks the block.
#[must_use = "a block that is dropped here is leaked"]
pub(crate) struct PoolBlock(NonNull<Header>);

// SAFETY: B2: exclusive ownership of plain memory; count and pool are usable on
// any thread.
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

    /// The pool that allocated the block.
    #[inline]
    pub(crate) fn pool(&self) -> NonNull<Shared> {
        self.header().pool
    }

    /// The class of the block.
    #[inline]
    pub(crate) fn class(&self) -> SizeClass {
        self.header().class
    }

    /// The count of references, of which there are none at the moment (B2).
    #[inline]
    pub(crate) fn count(&self) -> &RefCount {
        &self.header().count
    }

    /// The first byte of the payload.
    #[inline]
    pub(crate) fn payload(&self) -> NonNull<MaybeUninit<u8>> {
        let header = self.0.cast::<MaybeUninit<u8>>();
        // SAFETY: B1: the allocation goes on behind the header, and the pointer's
        // provenance covers it.
        unsafe { header.add(PAYLOAD_OFFSET) }
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
        // SAFETY: B1 and B2: in bounds, aligned, and nobody else has access.
        unsafe { self.payload().write(MaybeUninit::new(0xA5)) };
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: B1, and no mutable reference to a header is ever made.
        unsafe { self.0.as_ref() }
    }
}
