//! A [`SpanList`] as a counted block of its own: views of several spans share one
//! and clone it like any other block, with one reference for any number of spans.
//!
//! # Invariants
//! * **N1** A [`BlockRefBatch`] made by [`share`] or [`share_two`] has a [`State`] of this module
//!   behind its state pointer. Only `view` keeps such batches, and it knows them
//!   by its own invariant W2.
//! * **N2** A list with more than one reference is not changed.
#![expect(unsafe_code, reason = "keeps a shared list behind a block reference")]

use alloc::boxed::Box;
use core::mem::{self, MaybeUninit};
use core::ptr::NonNull;

use bytesbuf_core::{BlockRef, BlockRefBatch, BlockRefCounted, BlockRefVTable, RefCount};

use crate::span::Span;
use crate::span_list::SpanList;

#[repr(C)]
struct State {
    count: RefCount,
    list: SpanList,
}

/// Where a state is, was, or will be.
type Memory = Box<MaybeUninit<State>>;

const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();

// SAFETY: repr(C) with the count first; the box lives until `release`; the count
// is core's. A SpanList is Send and Sync.
unsafe impl BlockRefCounted for State {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak` in `share_with`, and the last
        // reference is gone. A `State` may be seen as one that may be uninitialised.
        let mut memory: Memory = unsafe { Box::from_raw(state_ptr.cast().as_ptr()) };
        // SAFETY: `share_with` has written it, and nobody uses it any more. If the
        // destructor of a user's owner panics, the memory is freed.
        unsafe { memory.assume_init_drop() };
        spare::keep(memory);
    }
}

/// Puts a list behind a reference. One allocation, or none (see `spare`).
pub(crate) fn share(list: SpanList) -> BlockRefBatch {
    share_with(|| list)
}

/// Puts two spans that are not neighbours in one block behind a reference, as a list.
/// One allocation, or none.
#[inline]
pub(crate) fn share_two(first: Span, second: Span) -> BlockRefBatch {
    share_with(|| SpanList::of_two(first, second))
}

/// Makes a list in the memory that it will be in, and a reference to it.
#[inline]
fn share_with(list: impl FnOnce() -> SpanList) -> BlockRefBatch {
    let mut memory = spare::take();
    memory.write(State {
        count: RefCount::new(1),
        list: list(),
    });
    let state = NonNull::from(Box::leak(memory)).cast::<State>();
    // SAFETY: the count of one is the reference made here.
    unsafe { BlockRef::new_counted(state, &TABLE) }.into()
}

/// The list behind `batch`.
///
/// # Safety
/// `batch` was made by this module (N1).
pub(crate) unsafe fn get(batch: &BlockRefBatch) -> &SpanList {
    // SAFETY: N1; the batch keeps the state alive, and N2 keeps it unchanged.
    let state = unsafe { batch.state().cast::<State>().as_ref() };
    &state.list
}

/// The list behind `batch` for changing, if nobody else has a reference to it.
///
/// # Safety
/// `batch` was made by this module (N1).
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
/// `batch` was made by this module (N1).
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

/// The memory of the list that this thread dropped last, for its next one: whoever
/// builds a message, sends it and drops it does so without the allocator.
#[cfg(all(feature = "std", not(bytesbuf_loom)))]
mod spare {
    use std::cell::Cell;

    use super::{Box, Memory};

    std::thread_local! {
        static SPARE: Cell<Option<Memory>> = const { Cell::new(None) };
    }

    #[inline]
    pub(super) fn take() -> Memory {
        // An error: the thread is ending, and its spare is gone.
        let spare = SPARE.try_with(Cell::take).unwrap_or_default();
        spare.unwrap_or_else(Box::new_uninit)
    }

    /// Frees the one before, if it has not been taken.
    #[inline]
    pub(super) fn keep(memory: Memory) {
        let _ = SPARE.try_with(|spare| spare.set(Some(memory)));
    }
}

/// Without threads to keep it for (or, in the models, with threads that are not the
/// system's).
#[cfg(not(all(feature = "std", not(bytesbuf_loom))))]
mod spare {
    use super::{Box, Memory};

    pub(super) fn take() -> Memory {
        Box::new_uninit()
    }

    pub(super) fn keep(memory: Memory) {
        drop(memory);
    }
}
