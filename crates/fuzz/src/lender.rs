//! Blocks of any size at any address, counted while they live.
//!
//! # Invariants
//! * **P1** `start` is the beginning of an allocation with `layout` that `release`
//!   frees; nothing else touches it but whoever holds the block.
#![expect(unsafe_code, reason = "plays the provider of the block ABI")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytesbuf::mem::{
    Block, BlockMeta, BlockRef, BlockRefCounted, BlockRefCountedWithMeta, BlockRefVTable, RefCount,
};

/// The size of the block in bytes, as metadata.
#[derive(Debug, PartialEq)]
pub(crate) struct Size(pub(crate) usize);

impl BlockMeta for Size {}

/// Blocks that are not back yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<AtomicUsize>);

impl Tally {
    pub(crate) fn out(&self) -> usize {
        // Relaxed: partner of nothing; programs have one thread.
        self.0.load(Ordering::Relaxed)
    }
}

#[repr(C)]
struct Plank {
    count: RefCount,
    start: NonNull<u8>,
    layout: Layout,
    size: Size,
    tally: Tally,
}

const TABLE: BlockRefVTable<Plank> = BlockRefVTable::from_counted_with_meta();

// SAFETY: repr(C) with the count first, which only core changes; box and allocation live
// until `release` (P1).
unsafe impl BlockRefCounted for Plank {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak` in `lend`; the last reference is gone.
        let plank = unsafe { Box::from_raw(state_ptr.as_ptr()) };
        // SAFETY: P1.
        unsafe { dealloc(plank.start.as_ptr(), plank.layout) };
        // Relaxed: partner of nothing; programs have one thread.
        plank.tally.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Small ones do not tell.
    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference is left, so the box is there.
        retained(unsafe { state_ptr.as_ref() }.size.0)
    }
}

// SAFETY: the metadata is a field of the state, which is not changed until `release`.
unsafe impl BlockRefCountedWithMeta for Plank {
    unsafe fn meta(state_ptr: NonNull<Self>) -> NonNull<dyn BlockMeta> {
        // SAFETY: a reference is left, so the box is there.
        let plank = unsafe { state_ptr.as_ref() };
        let meta: &dyn BlockMeta = &plank.size;
        NonNull::from(meta)
    }
}

/// What a block of `size` bytes says that it keeps in use.
pub(crate) fn retained(size: usize) -> Option<usize> {
    (size >= 8).then_some(size)
}

/// A block of `size` bytes, `offset` bytes behind an address that is a multiple of 64.
/// It ends where its allocation does.
pub(crate) fn lend(size: NonZero<u32>, offset: usize, tally: &Tally) -> Block {
    let len = size.get() as usize;
    let layout = Layout::from_size_align(offset + len, 64).expect("a small block");
    // SAFETY: `size` is not zero.
    let start = NonNull::new(unsafe { alloc(layout) });
    let Some(start) = start else {
        handle_alloc_error(layout)
    };
    let state = NonNull::from(Box::leak(Box::new(Plank {
        count: RefCount::new(1),
        start,
        layout,
        size: Size(len),
        tally: tally.clone(),
    })));
    // Relaxed: partner of nothing; programs have one thread.
    tally.0.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the count of one is the reference made here.
    let block_ref = unsafe { BlockRef::new_counted(state, &TABLE) };
    // SAFETY: within the allocation of `offset + len` bytes.
    let payload = unsafe { start.add(offset) };
    // SAFETY: P1: `len` bytes that nobody else touches until the last reference is gone,
    // which is this one or a clone of it.
    unsafe { Block::new(payload.cast(), size, block_ref) }
}
