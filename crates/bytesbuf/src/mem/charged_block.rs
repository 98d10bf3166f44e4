//! A block of any memory together with the charge for it.
//!
//! # Invariants
//! * **K1** The batch of a [`Charged`] is not touched until `release`, so it keeps the
//!   memory and the metadata of the block behind it.
#![expect(unsafe_code, reason = "plays the provider of the block ABI")]

use alloc::boxed::Box;
use core::num::NonZero;
use core::ptr::NonNull;

use bytesbuf_core::{
    Block, BlockMeta, BlockRef, BlockRefBatch, BlockRefCounted, BlockRefCountedWithMeta,
    BlockRefVTable, BlockSize, RefCount, ReserveError,
};
use bytesbuf_pool::Charge;

use crate::open_block::OpenBlock;
use crate::try_box::try_box;

/// State of the block that is lent on. To those who count distinct blocks it is one of
/// its own, as large as the whole.
#[repr(C)]
struct Charged<M> {
    count: RefCount,
    // Dropped in this order: the memory is back before somebody who waits for the bytes
    // is woken.
    owner: BlockRefBatch,
    meta: M,
    _charge: Charge,
}

/// Metadata in the block behind (K1).
struct Meta(NonNull<dyn BlockMeta>);

// SAFETY: a shared reference, as a pointer, to metadata that is Sync (K1).
unsafe impl Send for Meta {}
// SAFETY: as above.
unsafe impl Sync for Meta {}

const WITHOUT_META: BlockRefVTable<Charged<()>> = BlockRefVTable::from_counted();
const WITH_META: BlockRefVTable<Charged<Meta>> = BlockRefVTable::from_counted_with_meta();

// SAFETY: repr(C) with the count first, which only core changes; the box lives until
// `release`, and `owner` keeps the memory as long (K1). A batch and a charge may be used
// on any thread, and so may `M`.
unsafe impl<M: Send + Sync> BlockRefCounted for Charged<M> {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak` in `share`, and the last reference is
        // gone.
        drop(unsafe { Box::from_raw(state_ptr.as_ptr()) });
    }

    // The block behind has been opened by a buffer, which has promised to tell.
    const WATCHES_WRITES: bool = true;

    unsafe fn written(state_ptr: NonNull<Self>, end: usize) {
        // SAFETY: a reference is left, so the box is there.
        unsafe { state_ptr.as_ref() }.owner.report_written(end);
    }

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference is left, so the box is there.
        unsafe { state_ptr.as_ref() }.owner.retained_bytes()
    }
}

// SAFETY: the metadata is that of the block that `owner` keeps until `release` (K1).
unsafe impl BlockRefCountedWithMeta for Charged<Meta> {
    unsafe fn meta(state_ptr: NonNull<Self>) -> NonNull<dyn BlockMeta> {
        // SAFETY: a reference is left, so the box is there.
        unsafe { state_ptr.as_ref() }.meta.0
    }
}

/// Lends capacity on: the charge is credited when the last reference is gone. One
/// allocation.
///
/// # Errors
/// If the allocator refuses it. The capacity is back then, and the charge credited.
pub(super) fn lend(open: OpenBlock, charge: Charge) -> Result<Block, ReserveError> {
    let OpenBlock { ptr, len, owner } = open;
    let len = BlockSize::try_from(len).ok().and_then(NonZero::new);
    let len = len.expect("a part of a block that is not empty");
    let meta = owner.meta().map(NonNull::from);
    let block_ref = match meta {
        None => share(owner, (), charge, &WITHOUT_META)?,
        Some(meta) => share(owner, Meta(meta), charge, &WITH_META)?,
    };
    // SAFETY: O1: `len` bytes that are valid while a reference exists and that nobody else
    // reads or writes; the reference is the only one to its state.
    Ok(unsafe { Block::new(ptr, len, block_ref) })
}

fn share<M: Send + Sync>(
    owner: BlockRefBatch,
    meta: M,
    charge: Charge,
    table: &'static BlockRefVTable<Charged<M>>,
) -> Result<BlockRef, ReserveError> {
    let state = try_box(Charged {
        count: RefCount::new(1),
        owner,
        meta,
        _charge: charge,
    })?;
    let state = NonNull::from(Box::leak(state));
    // SAFETY: the count of one is the reference made here.
    Ok(unsafe { BlockRef::new_counted(state, table) })
}
