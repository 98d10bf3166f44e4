//! One block, one allocation.
//!
//! ```text
//!   state ──► [ RefCount | len ][ payload: len bytes, uninitialised ]
//!             ◄─── Header ────►
//! ```
//!
//! # Invariants
//! * **T1** The state pointer of a block is the start of an allocation of
//!   `layout(len)` and may be used for all of it.
//! * **T2** The header is initialised, and its `len` never changes.
//! * **T3** The payload begins right after the header and belongs to whoever holds
//!   the block; nothing here touches it.
#![expect(unsafe_code, reason = "allocates and frees blocks by raw pointer")]

use alloc::alloc::{alloc, dealloc};
use core::alloc::{Layout, LayoutError};
use core::num::NonZero;
use core::ptr::NonNull;

use bytesbuf_core::{
    Block, BlockRef, BlockRefCounted, BlockRefVTable, BlockSize, RefCount, ReserveError,
};

#[repr(C)]
struct Header {
    count: RefCount,
    len: NonZero<BlockSize>,
}

const TABLE: BlockRefVTable<Header> = BlockRefVTable::from_counted();

/// Of a block with a payload of `len` bytes.
fn layout(len: NonZero<BlockSize>) -> Result<Layout, LayoutError> {
    let size = size_of::<Header>().saturating_add(len.get() as usize);
    Layout::from_size_align(size, align_of::<Header>())
}

// SAFETY: repr(C) with the count first; header and payload are one allocation
// (T1) that only `release` frees; the count is left to core.
unsafe impl BlockRefCounted for Header {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: T1, T2: the allocation is there until the end of this function.
        let len = unsafe { state_ptr.as_ref() }.len;
        let Ok(layout) = layout(len) else {
            return; // not reachable: `allocate` computed the same layout
        };
        // SAFETY: T1, and `len` is what it was (T2), so this is the layout of the
        // allocation; the last reference is gone.
        unsafe { dealloc(state_ptr.as_ptr().cast(), layout) };
    }

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: T1, T2: a reference is left, so the header is there.
        let header = unsafe { state_ptr.as_ref() };
        Some(header.len.get() as usize)
    }
}

/// A block of exactly `len` bytes.
pub(super) fn allocate(len: NonZero<BlockSize>) -> Result<Block, ReserveError> {
    let refused = ReserveError::OutOfMemory {
        requested: len.get() as usize,
    };
    let Ok(layout) = layout(len) else {
        return Err(refused);
    };
    // SAFETY: the layout includes a header, so its size is not zero.
    let start = unsafe { alloc(layout) };
    let Some(state) = NonNull::new(start.cast::<Header>()) else {
        return Err(refused);
    };
    let header = Header {
        count: RefCount::new(1),
        len,
    };
    // SAFETY: fresh memory with the size and alignment of a header at least.
    unsafe { state.write(header) };
    // SAFETY: the layout is a header and `len` bytes, so the end of the header is
    // in bounds.
    let payload = unsafe { state.add(1) };
    // SAFETY: the state upholds T1 to T3, and the count of one is this reference.
    let block_ref = unsafe { BlockRef::new_counted(state, &TABLE) };
    // SAFETY: the payload is `len` bytes that live until the last reference is
    // dropped; nothing else touches them (T3).
    Ok(unsafe { Block::new(payload.cast(), len, block_ref) })
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_byte_can_be_written() {
        for len in [1, 2, 7, 8, 9, 4096] {
            let block = allocate(NonZero::new(len).unwrap()).unwrap();
            assert_eq!(block.len().get(), len);
            let (ptr, len, references) = block.open();
            // SAFETY: the block is open and not shared.
            unsafe { ptr.write_bytes(0xa5, len.get() as usize) };
            assert_eq!(references.retained_bytes(), Some(len.get() as usize));
            drop(references);
        }
    }
}
