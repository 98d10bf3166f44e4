//! Between a block of the pool and a [`Block`] that is lent: the table, and the
//! last release.
#![expect(unsafe_code, reason = "plays the provider of the block ABI")]

use std::ptr::NonNull;

use bytesbuf_core::{Block, BlockRef, BlockRefCounted, BlockRefVTable, ReserveError};

use crate::header::{Header, PoolBlock};
use crate::local;
use crate::shared::Shared;
use crate::size_class::SizeClass;
use crate::slab;

const TABLE: BlockRefVTable<Header> = BlockRefVTable::from_counted();

// SAFETY: repr(C) with the count first; a lent block stays allocated until
// `release` (B2); only core changes the count while it is lent.
unsafe impl BlockRefCounted for Header {
    type State = Self;

    #[inline]
    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: B1, because `lend` made the reference; B2, because no reference
        // is left and all their uses happened before.
        release(unsafe { PoolBlock::from_raw(state_ptr) });
    }
}

/// Lends a block that the caller owns.
#[inline]
pub(crate) fn lend(block: PoolBlock) -> Block {
    block.count().reset(1);
    let (payload, len) = (block.payload(), block.class().block_size());
    let header = block.into_raw();
    // SAFETY: the count of one, set above, is the reference made here.
    let block_ref = unsafe { BlockRef::new_counted(header, &TABLE) };
    // SAFETY: B1 and B2: `len` bytes that nobody else touches until `release`; the
    // count is one.
    unsafe { Block::new(payload, len, block_ref) }
}

/// Takes a block back on the current thread.
#[inline]
fn release(block: PoolBlock) {
    let pool = block.pool();
    if let Err(block) = local::with_hot(pool, block, |cache, block| cache.push(block)) {
        release_slow(pool, block);
    }
}

#[cold]
#[inline(never)]
fn release_slow(pool: NonNull<Shared>, block: PoolBlock) {
    // SAFETY: P1: the block's reference, which the slow path takes over.
    let done = unsafe { local::with_cache(pool, block, |cache, block| cache.release(block)) };
    if let Err(block) = done {
        release_uncached(block);
    }
}

/// Rents a block after the fast path found none.
///
/// # Safety
/// The caller holds a reference to `pool` (P1) during the call.
#[cold]
#[inline(never)]
pub(crate) unsafe fn rent_slow(
    pool: NonNull<Shared>,
    class: SizeClass,
) -> Result<PoolBlock, ReserveError> {
    // SAFETY: the caller holds a reference.
    let rented = unsafe { local::with_cache(pool, (), |cache, ()| cache.rent(class)) };
    match rented {
        Ok(rented) => rented,
        // SAFETY: the caller holds a reference.
        Err(()) => unsafe { rent_uncached(pool, class) },
    }
}

/// Rents without a thread cache: straight from the allocator.
///
/// # Safety
/// The caller holds a reference to `pool` (P1) during the call.
pub(crate) unsafe fn rent_uncached(
    pool: NonNull<Shared>,
    class: SizeClass,
) -> Result<PoolBlock, ReserveError> {
    let block = slab::allocate(class, pool)?;
    // SAFETY: the caller holds a reference.
    let shared = unsafe { pool.as_ref() };
    shared.retain(1); // the block's
    shared.uncached(class).allocated_and_rented_shared();
    Ok(block)
}

/// Releases without a thread cache: straight to the allocator.
pub(crate) fn release_uncached(block: PoolBlock) {
    let (pool, class) = (block.pool(), block.class());
    // SAFETY: P1: the block's reference keeps the pool alive until it is given up
    // below.
    let shared = unsafe { pool.as_ref() };
    shared.uncached(class).released_and_freed_shared();
    slab::free(block);
    // SAFETY: P1: the reference of the block, which is gone.
    unsafe { Shared::release(pool, 1) };
}
