//! Between a block of the pool and a [`Block`] that is lent: the table, and the
//! last release.
#![expect(unsafe_code, reason = "plays the provider of the block ABI")]

use std::num::NonZero;
use std::ptr::NonNull;

use bytesbuf_core::{Block, BlockRef, BlockRefCounted, BlockRefVTable, ReserveError};

use crate::header::{Header, PoolBlock};
use crate::local;
use crate::poison;
use crate::shared::Shared;
use crate::size_class::Class;
use crate::slab::{Slab, SlabPlan};

/// Of blocks that the pool keeps.
const POOLED: BlockRefVTable<Header> = BlockRefVTable::from_counted();

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

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference exists, so the block is out of its slab and its header
        // alive (S3).
        Some(unsafe { state_ptr.as_ref() }.size())
    }
}

/// The header of a block that is an allocation of its own.
#[repr(transparent)]
struct DirectHeader(Header);

const DIRECT: BlockRefVTable<DirectHeader> = BlockRefVTable::from_counted();

// SAFETY: as for `Header`, which it is.
unsafe impl BlockRefCounted for DirectHeader {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: as for `Header`, made by `rent_direct`.
        release_direct(unsafe { PoolBlock::from_raw(state_ptr.cast()) });
    }

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: as for `Header`.
        Some(unsafe { state_ptr.as_ref() }.0.size())
    }
}

/// Lends a pooled block that the caller owns, and that nothing has to be done for
/// when it comes back.
#[inline]
pub(crate) fn lend(block: PoolBlock) -> Block {
    debug_assert!(!block.is_direct(), "the table is for pooled blocks");
    lend_with(block, &POOLED)
}

/// Lends a block that is an allocation of its own, and the caller's.
pub(crate) fn lend_direct(block: PoolBlock) -> Block {
    debug_assert!(block.is_direct(), "the table is for direct blocks");
    lend_with(block, &DIRECT)
}

/// `T` is `Header` or a transparent wrapper of it.
#[inline]
pub(crate) fn lend_with<T: BlockRefCounted<State = T>>(
    block: PoolBlock,
    table: &'static BlockRefVTable<T>,
) -> Block {
    block.count().restock(Block::STOCK);
    let (payload, size) = (block.payload(), block.size());
    poison::in_use(payload, size.get() as usize);
    let state = block.into_raw().cast::<T>();
    // SAFETY: a header (B1); one of the references set above.
    let block_ref = unsafe { BlockRef::new_counted(state, table) };
    // SAFETY: B1 and B2: `size` bytes that nobody else touches until `release`; the
    // count is at the stock, set above, and all of it is handed over.
    unsafe { Block::new_stocked(payload, size, block_ref) }
}

/// Takes a pooled block back on the current thread.
#[inline]
pub(crate) fn release(block: PoolBlock) {
    poison::idle(block.payload(), block.size().get() as usize);
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
    class: Class,
) -> Result<PoolBlock, ReserveError> {
    // SAFETY: the caller holds a reference.
    let rented = unsafe { local::with_cache(pool, (), |cache, ()| cache.rent(class)) };
    match rented {
        Ok(rented) => rented,
        // SAFETY: the caller holds a reference.
        Err(()) => unsafe { rent_uncached(pool, class) },
    }
}

/// Rents without a thread cache: straight from the slabs.
///
/// # Safety
/// The caller holds a reference to `pool` (P1) during the call.
pub(crate) unsafe fn rent_uncached(
    pool: NonNull<Shared>,
    class: Class,
) -> Result<PoolBlock, ReserveError> {
    // SAFETY: the caller holds a reference.
    let shared = unsafe { pool.as_ref() };
    let plan = &shared.classes().plan(class).slab;
    let name = shared.settings().name.as_deref();
    let block = shared.slabs(class).take(plan, pool, name)?;
    shared.retain(1); // the block's
    shared.uncached(class).fetched_and_rented_shared();
    Ok(block)
}

/// Releases without a thread cache: straight to the slabs.
pub(crate) fn release_uncached(block: PoolBlock) {
    let (pool, class) = (block.pool(), block.class());
    // SAFETY: P1: the block's reference keeps the pool alive until it is given up
    // below.
    let shared = unsafe { pool.as_ref() };
    shared.uncached(class).released_and_put_back_shared();
    shared.slabs(class).put(block);
    // SAFETY: P1: the reference of the block, which is back in its slab.
    unsafe { Shared::release(pool, 1) };
}

/// Rents a block that is an allocation of its own.
///
/// # Safety
/// The caller holds a reference to `pool` (P1) during the call.
#[cold]
pub(crate) unsafe fn rent_direct(
    pool: NonNull<Shared>,
    size: NonZero<u32>,
) -> Result<PoolBlock, ReserveError> {
    // SAFETY: the caller holds a reference.
    let shared = unsafe { pool.as_ref() };
    let plan =
        SlabPlan::direct(size, shared.settings().alignment).ok_or(ReserveError::OutOfMemory {
            requested: size.get() as usize,
        })?;
    let slab = Slab::allocate(&plan, pool)?;
    // SAFETY: fresh, and ours alone.
    let block = unsafe { Slab::carve(slab) }.expect("a slab of one block");
    shared.retain(1); // the block's
    shared.direct().rented(size.get() as usize, plan.size());
    Ok(block)
}

/// Frees a block that is an allocation of its own.
#[cold]
pub(crate) fn release_direct(block: PoolBlock) {
    let (pool, slab, size) = (block.pool(), block.slab(), block.size());
    // SAFETY: P1: the block's reference keeps the pool alive until it is given up
    // below.
    let shared = unsafe { pool.as_ref() };
    // SAFETY: S3: live, because its block is out.
    let allocated = unsafe { slab.as_ref() }.size();
    shared.direct().released(size.get() as usize, allocated);
    // SAFETY: S4: in no store; who has its one block has the slab.
    unsafe { Slab::put(slab, block) };
    // SAFETY: as above, and the one block is back.
    unsafe { Slab::free(slab) };
    // SAFETY: P1: the reference of the block, which is gone.
    unsafe { Shared::release(pool, 1) };
}
