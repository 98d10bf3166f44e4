//! A [`SpanList`] as a counted block of its own: views of several spans share one
//! and clone it like any other block, with one reference for any number of spans.
//!
//! # Invariants
//! * **N1** A [`BlockRefBatch`] made by [`share`] has a [`State`] of this module
//!   behind its state pointer. Only `view` keeps such batches, and it knows them
//!   by its own invariant W2.
//! * **N2** A list with more than one reference is not changed.
#![expect(unsafe_code, reason = "keeps a shared list behind a block reference")]

use alloc::boxed::Box;
use core::mem;
use core::ptr::NonNull;

use bytesbuf_core::{BlockRef, BlockRefBatch, BlockRefCounted, BlockRefVTable, RefCount};

use crate::span_list::SpanList;

#[repr(C)]
struct State {
    count: RefCount,
    list: SpanList,
}

const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();

// SAFETY: repr(C) with the count first; the box lives until `release`; the count
// is core's. A SpanList is Send and Sync.
unsafe impl BlockRefCounted for State {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak` in `share`, and the last
        // reference is gone.
        drop(unsafe { Box::from_raw(state_ptr.as_ptr()) });
    }
}

/// Puts a list behind a reference. One allocation.
pub(crate) fn share(list: SpanList) -> BlockRefBatch {
    let state = NonNull::from(Box::leak(Box::new(State {
        count: RefCount::new(1),
        list,
    })));
    // SAFETY: the count of one is the reference made here.
    unsafe { BlockRef::new_counted(state, &TABLE) }.into()
}

/// The list behind `batch`.
///
/// # Safety
/// `batch` was made by [`share`] (N1).
pub(crate) unsafe fn get(batch: &BlockRefBatch) -> &SpanList {
    // SAFETY: N1; the batch keeps the state alive, and N2 keeps it unchanged.
    let state = unsafe { batch.state().cast::<State>().as_ref() };
    &state.list
}

/// The list behind `batch` for changing, if nobody else has a reference to it.
///
/// # Safety
/// `batch` was made by [`share`] (N1).
pub(crate) unsafe fn get_mut(batch: &mut BlockRefBatch) -> Option<&mut SpanList> {
    if batch.is_sole() != Some(true) {
        return None;
    }
    // SAFETY: N1; all references are in `batch`, which is borrowed exclusively.
    // Uses through references that are gone happened before `is_sole`.
    let list = unsafe { &raw mut (*batch.state().cast::<State>().as_ptr()).list };
    // SAFETY: as above: this is the only access while the borrow lasts.
    Some(unsafe { &mut *list })
}

/// Takes the list out, or makes a copy of it (one reference per span) if others
/// have references to it; in both cases with the last `first_len` bytes of its first
/// span only.
///
/// The copy may have fewer spans: neighbours whose references were too many for one
/// batch become one.
///
/// # Safety
/// `batch` was made by [`share`] (N1).
pub(crate) unsafe fn take(mut batch: BlockRefBatch, first_len: usize) -> SpanList {
    // SAFETY: forwarded from the caller.
    if let Some(list) = unsafe { get_mut(&mut batch) } {
        list.trim_first_to(first_len);
        return mem::take(list);
    }
    // SAFETY: forwarded from the caller.
    let list = unsafe { get(&batch) };
    let mut copy = SpanList::with_capacity(list.count());
    let mut spans = list.iter();
    if let Some(first) = spans.next() {
        copy.push_back(first.sub(first.len() - first_len, first.len()));
    }
    for span in spans {
        copy.push_back(span.sub(0, span.len()));
    }
    copy
}
