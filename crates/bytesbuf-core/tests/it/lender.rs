//! A provider in both ways of counting, which notes what it is told.
#![expect(unsafe_code, reason = "plays the provider")]

use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytesbuf_core::{
    Block, BlockMeta, BlockRef, BlockRefCounted, BlockRefCountedWithMeta, BlockRefDynamic,
    BlockRefVTable, RefCount,
};

/// Length of the blocks in bytes.
pub(crate) const LEN: usize = 16;

/// What has been heard of the blocks made with it.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    released: AtomicUsize,
    written: Mutex<Vec<usize>>,
}

impl Notes {
    pub(crate) fn released(&self) -> usize {
        // Relaxed: partner of nothing; one thread.
        self.released.load(Ordering::Relaxed)
    }

    pub(crate) fn written(&self) -> Vec<usize> {
        self.written.lock().unwrap().clone()
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct Tag(pub(crate) u8);

impl BlockMeta for Tag {}

#[repr(C)]
pub(crate) struct State {
    count: RefCount,
    tag: Tag,
    notes: Arc<Notes>,
    memory: [MaybeUninit<u8>; LEN],
}

/// Notes releases only, and tells nothing.
#[derive(Debug)]
pub(crate) struct Plain;

/// Attaches metadata, tells the length, and wants to know how far blocks are written.
#[derive(Debug)]
pub(crate) struct Curious;

/// Counts by itself.
#[derive(Debug)]
pub(crate) struct ByItself;

const PLAIN: BlockRefVTable<Plain> = BlockRefVTable::from_counted();
pub(crate) const CURIOUS: BlockRefVTable<Curious> =
    BlockRefVTable::from_counted_with_meta().identified();
pub(crate) const BY_ITSELF: BlockRefVTable<ByItself> = BlockRefVTable::from_trait();

/// Takes a block back.
///
/// # Safety
/// The state was made by `state`, and nobody uses it any more.
unsafe fn take_back(state: NonNull<State>) {
    // SAFETY: made by `Box::leak` in `state`; the last reference is gone.
    let state = unsafe { Box::from_raw(state.as_ptr()) };
    // Relaxed: partner of nothing; one thread.
    state.notes.released.fetch_add(1, Ordering::Relaxed);
}

// SAFETY: repr(C) with the count first; the box lives until `release`.
unsafe impl BlockRefCounted for Plain {
    type State = State;

    unsafe fn release(state: NonNull<State>) {
        // SAFETY: forwarded from the caller.
        unsafe { take_back(state) };
    }
}

// SAFETY: as for `Plain`.
unsafe impl BlockRefCounted for Curious {
    type State = State;

    unsafe fn release(state: NonNull<State>) {
        // SAFETY: forwarded from the caller.
        unsafe { take_back(state) };
    }

    unsafe fn retained_bytes(_: NonNull<State>) -> Option<usize> {
        Some(LEN)
    }

    const WATCHES_WRITES: bool = true;

    unsafe fn written(state: NonNull<State>, end: usize) {
        // SAFETY: a reference is left, so the box is there.
        let notes = unsafe { &(*state.as_ptr()).notes };
        notes.written.lock().unwrap().push(end);
    }
}

// SAFETY: the tag lives in the state, and nobody writes it.
unsafe impl BlockRefCountedWithMeta for Curious {
    unsafe fn meta(state: NonNull<State>) -> NonNull<dyn BlockMeta> {
        // SAFETY: a reference is left, so the box is there.
        let tag = unsafe { &(*state.as_ptr()).tag };
        NonNull::from(tag as &dyn BlockMeta)
    }
}

// SAFETY: the count, which is used by nobody else, keeps the box alive and orders the
// last drop after all others.
unsafe impl BlockRefDynamic for ByItself {
    type State = State;

    unsafe fn clone(state: NonNull<State>) -> NonNull<State> {
        // SAFETY: the caller holds a reference.
        unsafe { &(*state.as_ptr()).count }.retain(1);
        state
    }

    unsafe fn drop(state: NonNull<State>) {
        // SAFETY: the caller holds a reference, which it gives up.
        if unsafe { &(*state.as_ptr()).count }.release(1) {
            // SAFETY: that was the last.
            unsafe { take_back(state) };
        }
    }
}

fn state(notes: &Arc<Notes>, references: usize) -> NonNull<State> {
    NonNull::from(Box::leak(Box::new(State {
        count: RefCount::new(references),
        tag: Tag(7),
        notes: Arc::clone(notes),
        memory: [MaybeUninit::uninit(); LEN],
    })))
}

pub(crate) fn plain(notes: &Arc<Notes>) -> BlockRef {
    // SAFETY: the count of one is the reference made here.
    unsafe { BlockRef::new_counted(state(notes, 1), &PLAIN) }
}

pub(crate) fn curious(notes: &Arc<Notes>) -> BlockRef {
    // SAFETY: the count of one is the reference made here.
    unsafe { BlockRef::new_counted(state(notes, 1), &CURIOUS) }
}

pub(crate) fn by_itself(notes: &Arc<Notes>) -> BlockRef {
    // SAFETY: the count of one is the reference made here.
    unsafe { BlockRef::new(state(notes, 1), &BY_ITSELF) }
}

/// The memory of a block that nobody else knows of yet.
fn memory(state: NonNull<State>) -> (NonNull<MaybeUninit<u8>>, NonZero<u32>) {
    // SAFETY: the box is alive; this makes a pointer and no reference.
    let memory = unsafe { &raw mut (*state.as_ptr()).memory };
    let memory = NonNull::new(memory.cast()).unwrap();
    (memory, NonZero::new(u32::try_from(LEN).unwrap()).unwrap())
}

/// A block of which there is one reference.
pub(crate) fn fresh_block(notes: &Arc<Notes>) -> Block {
    let state = state(notes, 1);
    let (memory, len) = memory(state);
    // SAFETY: the count of one is the reference made here.
    let block_ref = unsafe { BlockRef::new_counted(state, &CURIOUS) };
    // SAFETY: sole reference; nobody else touches the memory.
    unsafe { Block::new(memory, len, block_ref) }
}

/// A block whose provider has set the count already.
pub(crate) fn stocked_block(notes: &Arc<Notes>) -> Block {
    let state = state(notes, Block::STOCK);
    let (memory, len) = memory(state);
    // SAFETY: one of the references that the block takes over.
    let block_ref = unsafe { BlockRef::new_counted(state, &PLAIN) };
    // SAFETY: the count is at the stock; nobody else touches the memory.
    unsafe { Block::new_stocked(memory, len, block_ref) }
}

/// A block whose provider counts by itself.
pub(crate) fn block_by_itself(notes: &Arc<Notes>) -> Block {
    let state = state(notes, 1);
    let (memory, len) = memory(state);
    // SAFETY: the count of one is the reference made here.
    let block_ref = unsafe { BlockRef::new(state, &BY_ITSELF) };
    // SAFETY: sole reference; nobody else touches the memory.
    unsafe { Block::new(memory, len, block_ref) }
}
