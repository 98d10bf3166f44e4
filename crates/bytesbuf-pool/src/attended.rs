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
use crate::header::{Header, PoolBlock};
use crate::lease;
use crate::ledger::Tag;
use crate::settings::Wipe;
use crate::shared::Shared;

#[repr(transparent)]
struct AttendedHeader(Header);

const ATTENDED: BlockRefVTable<AttendedHeader> = BlockRefVTable::from_counted();

// SAFETY: as for `Header` in `lease`, which it is.
unsafe impl BlockRefCounted for AttendedHeader {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: B1, because `lend` made the reference; B2, because no reference
        // is left and all their uses happened before.
        release(unsafe { PoolBlock::from_raw(state_ptr.cast()) });
    }
}

/// Lends a block that the caller owns.
#[cold]
pub(crate) fn lend(block: PoolBlock, charge: Option<Charge>, tag: &Tag) -> Block {
    shared(&block).ledger().enter(&block, tag);
    if wipe_policy(&block) == Wipe::OnReuse {
        wipe(&block);
    }
    // As far as anybody knows, all of it will be written.
    block.set_filled(block.size().get());
    block.set_charge(charge);
    lease::lend_with(block, &ATTENDED)
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
