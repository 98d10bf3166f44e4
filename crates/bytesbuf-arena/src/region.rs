//! The one allocation.
//!
//! # Invariants
//! * **G1** `start` is the start of a live allocation of `layout`, and may be used
//!   for all of it.
//! * **G2** `layout.size()` is `slots * slot_len`.
//! * **G3** This type reads and writes none of the bytes.
#![expect(unsafe_code, reason = "allocates and frees by raw pointer")]

use std::alloc::{Layout, alloc, dealloc};
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;

use bytesbuf_core::{BlockSize, ReserveError};

/// Alignment of the region in bytes: a page, what devices ask for.
const ALIGN: usize = 4096;

/// Memory for `slots` slots of `slot_len` bytes each.
#[derive(Debug)]
pub(crate) struct Region {
    start: NonNull<MaybeUninit<u8>>,
    layout: Layout,
    slot_len: NonZero<BlockSize>,
    slots: NonZero<u32>,
}

// SAFETY: a region owns plain bytes that it does not touch (G3); an allocation may
// be freed on any thread.
unsafe impl Send for Region {}
// SAFETY: as above; shared access yields addresses and numbers only.
unsafe impl Sync for Region {}

impl Region {
    pub(crate) fn new(
        slots: NonZero<u32>,
        slot_len: NonZero<BlockSize>,
    ) -> Result<Self, ReserveError> {
        let requested = u64::from(slots.get()) * u64::from(slot_len.get());
        let requested = usize::try_from(requested).unwrap_or(usize::MAX);
        let Ok(layout) = Layout::from_size_align(requested, ALIGN) else {
            return Err(ReserveError::TooLarge {
                requested,
                max: isize::MAX as usize - (ALIGN - 1),
            });
        };
        // SAFETY: both factors are non-zero, and so is the size.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start.cast()) else {
            return Err(ReserveError::OutOfMemory { requested });
        };
        Ok(Self {
            start,
            layout,
            slot_len,
            slots,
        })
    }

    /// Start of a slot, `slot_len` bytes long. Slots do not overlap.
    ///
    /// # Panics
    /// If there is no such slot.
    pub(crate) fn slot(&self, index: u32) -> NonNull<MaybeUninit<u8>> {
        assert!(index < self.slots.get(), "no slot {index}");
        let offset = index as usize * self.slot_len.get() as usize;
        // SAFETY: the index is in bounds, so the offset is (G1, G2).
        unsafe { self.start.add(offset) }
    }

    pub(crate) const fn slot_len(&self) -> NonZero<BlockSize> {
        self.slot_len
    }

    /// All of it, in bytes.
    pub(crate) const fn size(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: G1; this is the only place that frees.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_adjacent_and_the_first_is_aligned() {
        let region = Region::new(NonZero::new(3).unwrap(), NonZero::new(10).unwrap()).unwrap();
        let address = |index| region.slot(index).as_ptr().addr();
        assert_eq!(address(0) % ALIGN, 0);
        assert_eq!([address(1), address(2)], [address(0) + 10, address(0) + 20]);
        assert_eq!(region.size(), 30);
    }

    #[test]
    #[should_panic(expected = "no slot 3")]
    fn there_is_nothing_past_the_end() {
        let region = Region::new(NonZero::new(3).unwrap(), NonZero::new(10).unwrap()).unwrap();
        let _ = region.slot(3);
    }

    #[test]
    fn what_no_memory_can_hold_is_refused() {
        let error = Region::new(NonZero::<u32>::MAX, NonZero::<u32>::MAX).unwrap_err();
        let max = isize::MAX as usize / ALIGN * ALIGN;
        assert!(matches!(error, ReserveError::TooLarge { max: it, .. } if it == max));
        assert!(Layout::from_size_align(max, ALIGN).is_ok());
        assert!(Layout::from_size_align(max + 1, ALIGN).is_err());
    }
}
