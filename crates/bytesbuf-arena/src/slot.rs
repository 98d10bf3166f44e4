//! What stands behind one block: its count, its metadata, its way home.
//!
//! # Invariants
//! * **S1** A slot lies in the `states` of a [`Shared`] and stays at its address as
//!   long as that lives.
//! * **S2** While the slot is lent, `home` is `Some`, and keeps that `Shared` alive.
//! * **S3** A number is either in the free list, or in the hands of one thread that
//!   is about to lend it or has just got it back, or lent: exactly one block with
//!   this slot as its state exists then.
#![expect(unsafe_code, reason = "makes blocks of slots")]

use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use bytesbuf_core::{
    Block, BlockMeta, BlockRef, BlockRefCounted, BlockRefCountedWithMeta, BlockRefVTable,
    BlockSize, RefCount,
};

use crate::arena::Shared;

/// Which piece of which arena a block is: the metadata of every block.
///
/// # Examples
/// ```
/// use std::num::NonZero;
///
/// use bytesbuf_arena::{Arena, SlotMeta};
/// use bytesbuf_core::BlockProvider;
///
/// let arena = Arena::new(7, NonZero::new(4).unwrap(), NonZero::new(512).unwrap())?;
/// arena.provide(1, &mut |block| {
///     let meta = block.meta().unwrap().downcast_ref::<SlotMeta>().unwrap();
///     assert_eq!((meta.arena(), meta.slot()), (7, 0));
/// })?;
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlotMeta {
    arena: u32,
    slot: u32,
}

impl SlotMeta {
    /// The number that was given to the arena.
    #[must_use]
    pub const fn arena(&self) -> u32 {
        self.arena
    }

    /// The number of the slot in the arena, from 0.
    #[must_use]
    pub const fn slot(&self) -> u32 {
        self.slot
    }
}

impl BlockMeta for SlotMeta {}

/// The state of one block, lent or not.
#[repr(C)]
pub(crate) struct Slot {
    count: RefCount,
    meta: SlotMeta,
    len: NonZero<BlockSize>,
    home: Mutex<Option<Arc<Shared>>>,
}

const TABLE: BlockRefVTable<Slot> = BlockRefVTable::from_counted_with_meta();

// SAFETY: repr(C) with the count first, which only core changes while references
// exist; slot and memory live in a `Shared` that `home` keeps until `release`
// (S1, S2).
unsafe impl BlockRefCounted for Slot {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: S1, S2: the slot is alive until `home` is dropped, and `slot` is
        // not used after that.
        let slot = unsafe { state_ptr.as_ref() };
        let index = slot.meta.slot;
        // A statement of its own: the mutex is unlocked when `home`, which may be the last
        // to keep it, is dropped.
        let home = slot
            .home
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(home) = home {
            // SAFETY: S3: its last reference is gone, and this is called once a lending.
            unsafe { home.take_back(index) };
        }
    }

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: the caller holds a reference, so the slot is alive (S1, S2).
        let slot = unsafe { state_ptr.as_ref() };
        Some(slot.len.get() as usize)
    }
}

// SAFETY: `meta` is a field of the state, is never written after construction, and
// lives until `release`.
unsafe impl BlockRefCountedWithMeta for Slot {
    unsafe fn meta(state_ptr: NonNull<Self>) -> NonNull<dyn BlockMeta> {
        // SAFETY: the caller holds a reference, so the slot is alive (S1, S2).
        let slot = unsafe { state_ptr.as_ref() };
        NonNull::from(&slot.meta as &dyn BlockMeta)
    }
}

impl Slot {
    /// An idle slot of `len` bytes.
    pub(crate) const fn new(arena: u32, slot: u32, len: NonZero<BlockSize>) -> Self {
        Self {
            count: RefCount::new(0),
            meta: SlotMeta { arena, slot },
            len,
            home: Mutex::new(None),
        }
    }
}

/// The slot `index` of `shared`, as a block.
///
/// # Safety
/// The caller has taken `index` out of the free list of `shared`, and gives it
/// away here (S3).
pub(crate) unsafe fn lend(shared: &Arc<Shared>, index: u32) -> Block {
    let memory = shared.region().slot(index);
    let slot = shared.state(index);
    slot.count.reset(1);
    *slot.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(shared));
    // SAFETY: the state upholds the contract (S1, S2), and the count of one is this
    // reference.
    let block_ref = unsafe { BlockRef::new_counted(NonNull::from(slot), &TABLE) };
    // SAFETY: a slot of the region belongs to nobody but the one block of its number
    // (S3), and lives until `release` (S2).
    unsafe { Block::new(memory, shared.region().slot_len(), block_ref) }
}
