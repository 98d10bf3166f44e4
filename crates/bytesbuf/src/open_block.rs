//! A block that a buffer has opened for filling.
//!
//! # Invariants
//! * **O1** The memory behind `ptr`, `len` bytes, is valid for reads and writes
//!   while a reference of `owner` exists, and nobody but the holder of this value
//!   reads or writes it.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use bytesbuf_core::{Block, BlockMeta, BlockRefBatch};

/// Untouched capacity: a block, or the unfilled end of one.
#[derive(Debug)]
pub(crate) struct OpenBlock {
    pub(crate) ptr: NonNull<MaybeUninit<u8>>,
    pub(crate) len: usize,
    pub(crate) owner: BlockRefBatch,
}

impl OpenBlock {
    #[inline]
    pub(crate) fn new(block: Block) -> Self {
        let (ptr, len, owner) = block.open();
        if owner.watches_writes() {
            // A promise: buffers report how far they write each block.
            owner.report_written(ptr.addr().get());
        }
        Self {
            ptr,
            len: len.get() as usize,
            owner,
        }
    }

    pub(crate) fn meta(&self) -> Option<&dyn BlockMeta> {
        self.owner.meta()
    }
}
