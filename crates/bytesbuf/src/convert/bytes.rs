//! `bytes` interoperation (feature `bytes-compat`).
//!
//! A view made from `Bytes` gives a part of these very `Bytes` back when it is
//! converted: owners do not pile up, however often bytes go back and forth.
//!
//! # Invariants
//! * **T1** A reference whose table is identified as that of the private [`State`] was
//!   made by [`hold`], and has a `State` behind its state pointer.
#![expect(
    unsafe_code,
    reason = "a state of its own for Bytes, and the unsafe trait BufMut"
)]

use alloc::boxed::Box;
use core::ptr::NonNull;

use bytes::buf::UninitSlice;
use bytes::{Buf, BufMut, Bytes, TryGetError};
use bytesbuf_core::{BlockRef, BlockRefBatch, BlockRefCounted, BlockRefVTable, RefCount};

use crate::span::Span;
use crate::{BytesBuf, BytesView, NotEnoughBytes};

/// Windows has no longer ones.
#[cfg(feature = "std")]
const LONGEST_IO_SLICE: usize = u32::MAX as usize;

/// The `Bytes` that a view was made from.
#[repr(C)]
struct State {
    count: RefCount,
    bytes: Bytes,
}

const TABLE: BlockRefVTable<State> = BlockRefVTable::<State>::from_counted().identified();

// SAFETY: repr(C) with the count first; the box lives until `release`; the count is
// core's. `Bytes` is Send and Sync.
unsafe impl BlockRefCounted for State {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak` in `hold`, and the last reference is
        // gone.
        drop(unsafe { Box::from_raw(state_ptr.as_ptr()) });
    }

    /// What these `Bytes` show; they may be a part of something larger.
    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference is left, so the box is there.
        let state = unsafe { state_ptr.as_ref() };
        Some(state.bytes.len())
    }
}

/// The bytes as a span. They are not empty.
fn hold(bytes: Bytes) -> Span {
    let (ptr, len) = (NonNull::from(&bytes[..]).cast(), bytes.len());
    let state = NonNull::from(Box::leak(Box::new(State {
        count: RefCount::new(1),
        bytes,
    })));
    // SAFETY: the count of one is the reference made here.
    let owner = unsafe { BlockRef::new_counted(state, &TABLE) };
    // SAFETY: `Bytes` does not move or change its bytes while it is alive, which it is
    // as long as the state (S1); not empty (S2).
    unsafe { Span::new(ptr, len, Some(owner.into())) }
}

/// The `Bytes` that `owner` keeps, if it keeps any.
fn held(owner: &BlockRefBatch) -> Option<&Bytes> {
    if !owner.uses::<State>() {
        return None;
    }
    // SAFETY: T1; the state lives as long as `owner`, and is not changed.
    let state = unsafe { owner.state().cast::<State>().as_ref() };
    Some(&state.bytes)
}

/// Owner of the bytes of a view of one span, for `Bytes::from_owner`.
struct FirstSlice(BytesView);

impl AsRef<[u8]> for FirstSlice {
    fn as_ref(&self) -> &[u8] {
        self.0.first_slice()
    }
}

impl BytesView {
    /// The bytes as `Bytes`: without copying if they lie in one slice (one
    /// allocation, none if the slice came from `Bytes`), with one copy otherwise.
    ///
    /// # Examples
    /// ```
    /// let view = bytesbuf::BytesView::from(b"abc".to_vec());
    /// assert_eq!(&view.to_bytes()[..], b"abc");
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.clone().into()
    }
}

/// Without copying if the bytes lie in one slice, with one copy otherwise.
impl From<BytesView> for Bytes {
    fn from(view: BytesView) -> Self {
        if view.is_empty() {
            return Self::new();
        }
        if view.first_slice().len() < view.len() {
            let copy = view.to_vec();
            // Not on the way out: if the destructor of an owner panics, a value that is
            // already returned is lost.
            drop(view);
            return copy.into();
        }
        match view.first_owner().and_then(held) {
            Some(bytes) => bytes.slice_ref(view.first_slice()),
            None => Self::from_owner(FirstSlice(view)),
        }
    }
}

/// Zero copy, whatever the length. One allocation; none if it is empty.
impl From<Bytes> for BytesView {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            return Self::new();
        }
        Self::from_span(hold(bytes))
    }
}

/// Reading consumes the view.
impl Buf for BytesView {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.first_slice()
    }

    /// Of a slice that is longer than an `IoSlice` may be everywhere, 4 GiB less one byte,
    /// the beginning, and nothing behind it.
    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, dst: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slot, (slice, _)) in dst.iter_mut().zip(self.slices()) {
            let offered = &slice[..slice.len().min(LONGEST_IO_SLICE)];
            *slot = std::io::IoSlice::new(offered);
            count += 1;
            if offered.len() < slice.len() {
                break;
            }
        }
        count
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        Self::advance(self, count);
    }

    /// Without copying if the bytes lie in one slice.
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        self.split_to(len).into()
    }
}

/// For code that reads by the methods of [`Buf`] and hands their error on: methods of ours
/// that have the same names as those come first, and have errors of their own.
impl From<NotEnoughBytes> for TryGetError {
    fn from(error: NotEnoughBytes) -> Self {
        Self {
            requested: error.requested,
            available: error.available,
        }
    }
}

// SAFETY: `chunk_mut` is the unfilled memory that `advance_mut` then declares
// written; `remaining_mut` is the sum of what consecutive chunks give.
unsafe impl BufMut for BytesBuf {
    #[inline]
    fn remaining_mut(&self) -> usize {
        self.remaining_capacity()
    }

    #[inline]
    unsafe fn advance_mut(&mut self, count: usize) {
        // SAFETY: forwarded from the caller.
        unsafe { self.advance(count) }
    }

    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        UninitSlice::uninit(self.first_unfilled_slice())
    }
}
