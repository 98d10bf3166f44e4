//! Blocks that something has to be done for when they are lent and when they come
//! back: a charge to credit, content to wipe. They have a table of their own, so
//! that all others pay nothing for it.
#![expect(unsafe_code, reason = "plays the provider of the block ABI")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::slice;

use bytesbuf_core::{Block, BlockRefCounted, BlockRefVTable};
use zeroize::Zeroize;

use crate::budget::Charge;
use crate::header::{Header, PoolBlock, UNKNOWN};
use crate::lease;
use crate::ledger::Tag;
use crate::poison;
use crate::settings::Wipe;
use crate::shared::Shared;

/// The header of an attended block. Only a pool that wipes wants to know how far its
/// blocks are written.
#[repr(transparent)]
struct AttendedHeader<const WIPED: bool>(Header);

const KEPT: BlockRefVTable<AttendedHeader<false>> = BlockRefVTable::from_counted();
const WIPED: BlockRefVTable<AttendedHeader<true>> = BlockRefVTable::from_counted();

// SAFETY: as for `Header` in `lease`, which it is.
unsafe impl<const WIPED: bool> BlockRefCounted for AttendedHeader<WIPED> {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: B1, because `lend` made the reference; B2, because no reference
        // is left and all their uses happened before.
        release(unsafe { PoolBlock::from_raw(state_ptr.cast()) });
    }

    const WATCHES_WRITES: bool = WIPED;

    unsafe fn written(state_ptr: NonNull<Self>, end: usize) {
        // SAFETY: a reference exists, so the block is out of its slab and its header
        // alive (S3).
        unsafe { state_ptr.as_ref() }.0.note_written(end);
    }

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: as for `Header` in `lease`.
        Some(unsafe { state_ptr.as_ref() }.0.size())
    }
}

/// Lends a block that the caller owns.
#[cold]
pub(crate) fn lend(block: PoolBlock, charge: Option<Charge>, tag: &Tag) -> Block {
    shared(&block).ledger().enter(&block, tag);
    let policy = wipe_policy(&block);
    if policy == Wipe::OnReuse {
        poison::in_use(block.payload(), block.size().get() as usize);
        wipe(&block);
    }
    // Nobody has promised to tell how far it is written.
    block.set_filled(UNKNOWN);
    block.set_charge(charge);
    match policy {
        Wipe::Never => lease::lend_with(block, &KEPT),
        Wipe::OnRelease | Wipe::OnReuse => lease::lend_with(block, &WIPED),
    }
}

#[cold]
fn release(block: PoolBlock) {
    shared(&block).ledger().strike(&block);
    if wipe_policy(&block) == Wipe::OnRelease {
        wipe(&block);
    }
    let charge = block.take_charge();
    if block.is_direct() {
        lease::release_direct(block);
    } else {
        lease::release(block);
    }
    // Last: who waits for the bytes finds the block.
    drop(charge);
}

fn wipe_policy(block: &PoolBlock) -> Wipe {
    shared(block).settings().wipe
}

/// The pool of a block, for no longer than the caller owns the block.
fn shared(block: &PoolBlock) -> &Shared {
    let pool = block.pool();
    // SAFETY: P1: the block holds a reference.
    unsafe { pool.as_ref() }
}

/// Overwrites with zeroes what may have been written.
fn wipe(block: &PoolBlock) {
    let written: *mut MaybeUninit<u8> = block.payload().as_ptr();
    // SAFETY: B1 and B2: at most the payload, and nobody else has access.
    let written = unsafe { slice::from_raw_parts_mut(written, block.filled()) };
    written.zeroize();
    block.set_filled(0);
}
