//! Taking a buffer's capacity apart into blocks, for a provider that wraps another
//! memory and lends its blocks on.
//!
//! Any [`Memory`](crate::mem::Memory) answers with a buffer, whose blocks are open:
//! each has a stock of references, and parts of it may have been written and shared
//! before. A [`Block`] is sole ownership of fresh capacity. What was lent out
//! untouched becomes one again as it is. Of a block that others have references to (or
//! of which only the provider knows), the part that is left becomes a block of its own: it
//! has a state of its own, which keeps the references to what it is a part of.
//!
//! Whoever is going to put the blocks behind a state of its own anyway does better with
//! [`BytesBuf::into_open_blocks`], which allocates nothing.
//!
//! # Invariants
//! * **P1** The batch of a [`Rest`] is not touched until `release`, so it keeps memory and
//!   metadata of the block that it is a part of.
#![expect(unsafe_code, reason = "makes blocks of the capacity of buffers")]

use alloc::boxed::Box;
use core::num::NonZero;
use core::ptr::NonNull;

use bytesbuf_core::{
    Block, BlockMeta, BlockRef, BlockRefBatch, BlockRefCounted, BlockRefCountedWithMeta,
    BlockRefVTable, BlockSize, RefCount,
};

use super::BytesBuf;
use crate::open_block::OpenBlock;

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests;

impl BytesBuf {
    /// The capacity of a buffer without data, as blocks in the order in which they would
    /// have been filled. ([`from_blocks`](Self::from_blocks) wants them the other way
    /// round.) A block that has been used in part before comes as what is left of it.
    ///
    /// O(blocks). One allocation for each block that others have references to, and for
    /// each that its provider counts by itself.
    ///
    /// # Panics
    /// If there is data in the buffer.
    #[cfg_attr(
        any(not(test), bytesbuf_loom),
        expect(dead_code, reason = "for memory that lends another memory's blocks on")
    )]
    pub(crate) fn into_blocks(self, mut sink: impl FnMut(Block)) {
        self.into_open_blocks(|open| sink(close(open)));
    }
}

/// An open block of which nobody has used anything, as a block to be lent.
fn close(open: OpenBlock) -> Block {
    let OpenBlock { ptr, len, owner } = open;
    let len = BlockSize::try_from(len).ok().and_then(NonZero::new);
    let len = len.expect("a part of a block that is not empty");
    let block_ref = match owner.into_sole() {
        Ok(block_ref) => block_ref,
        Err(owner) => keep(owner),
    };
    // SAFETY: O1: `len` bytes that are valid while a reference exists and that nobody else
    // reads or writes; the reference is the only one to its state.
    unsafe { Block::new(ptr, len, block_ref) }
}

/// State of a block that is a part of another one. To those who count distinct blocks it
/// is one of its own, as large as the whole.
#[repr(C)]
struct Rest<M> {
    count: RefCount,
    whole: BlockRefBatch,
    meta: M,
}

/// Metadata in the block that the batch of a [`Rest`] keeps.
struct Meta(NonNull<dyn BlockMeta>);

// SAFETY: a shared reference, as a pointer, to metadata that is Sync (P1).
unsafe impl Send for Meta {}
// SAFETY: as above.
unsafe impl Sync for Meta {}

const WITHOUT_META: BlockRefVTable<Rest<()>> = BlockRefVTable::from_counted();
const WITH_META: BlockRefVTable<Rest<Meta>> = BlockRefVTable::from_counted_with_meta();

// SAFETY: repr(C) with the count first, which only core changes; the box lives until
// `release`, and `whole` keeps the memory as long (P1). A batch may be used on any
// thread, and so may `M`.
unsafe impl<M: Send + Sync> BlockRefCounted for Rest<M> {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak` in `share`, and the last reference is
        // gone.
        drop(unsafe { Box::from_raw(state_ptr.as_ptr()) });
    }

    /// All of the block that this is a part of.
    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference is left, so the box is there.
        let state = unsafe { state_ptr.as_ref() };
        state.whole.retained_bytes()
    }
}

// SAFETY: the metadata is that of the block that `whole` keeps until `release` (P1).
unsafe impl BlockRefCountedWithMeta for Rest<Meta> {
    unsafe fn meta(state_ptr: NonNull<Self>) -> NonNull<dyn BlockMeta> {
        // SAFETY: a reference is left, so the box is there.
        let state = unsafe { state_ptr.as_ref() };
        state.meta.0
    }
}

/// A reference of its own kind that keeps `whole`, and has the same metadata.
fn keep(whole: BlockRefBatch) -> BlockRef {
    let meta = whole.meta().map(NonNull::from);
    match meta {
        None => share(whole, (), &WITHOUT_META),
        Some(meta) => share(whole, Meta(meta), &WITH_META),
    }
}

fn share<M: Send + Sync>(
    whole: BlockRefBatch,
    meta: M,
    table: &'static BlockRefVTable<Rest<M>>,
) -> BlockRef {
    let state = NonNull::from(Box::leak(Box::new(Rest {
        count: RefCount::new(1),
        whole,
        meta,
    })));
    // SAFETY: the count of one is the reference made here.
    unsafe { BlockRef::new_counted(state, table) }
}
