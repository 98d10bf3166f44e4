//! Immutable bytes of one block.
//!
//! # Invariants
//! * **S1** `ptr` is valid for reads of `len` bytes, which are initialised and do
//!   not change, for as long as `owner` exists; for `'static` data without an
//!   owner.
//! * **S2** A span is not empty.
#![expect(unsafe_code, reason = "turns pointer and length into a slice")]

use core::ptr::NonNull;

use bytesbuf_core::{BlockMeta, BlockRefBatch};

/// A run of bytes in one block, with the references that keep the block.
#[derive(Debug)]
pub(crate) struct Span {
    ptr: NonNull<u8>,
    len: usize,
    owner: Option<BlockRefBatch>,
}

// SAFETY: immutable bytes (S1) and references that may be used on any thread.
unsafe impl Send for Span {}
// SAFETY: as above.
unsafe impl Sync for Span {}

const _: () = assert!(size_of::<Span>() <= 40 && size_of::<Option<Span>>() == size_of::<Span>());

impl Span {
    /// # Safety
    /// S1 holds for the three, and `len` is not zero (S2).
    #[inline]
    pub(crate) const unsafe fn new(
        ptr: NonNull<u8>,
        len: usize,
        owner: Option<BlockRefBatch>,
    ) -> Self {
        debug_assert!(len > 0, "S2");
        Self { ptr, len, owner }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> NonNull<u8> {
        self.ptr
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: S1; the owner lives at least as long as the borrow of self.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    #[inline]
    pub(crate) fn meta(&self) -> Option<&dyn BlockMeta> {
        self.owner.as_ref()?.meta()
    }

    pub(crate) fn owner(&self) -> Option<&BlockRefBatch> {
        self.owner.as_ref()
    }

    #[inline]
    pub(crate) fn into_parts(self) -> (NonNull<u8>, usize, Option<BlockRefBatch>) {
        (self.ptr, self.len, self.owner)
    }

    /// Bytes `start..end`, with one more reference. One atomic addition.
    #[inline]
    pub(crate) fn sub(&self, start: usize, end: usize) -> Self {
        let ptr = self.checked_at(start, end);
        Self {
            ptr,
            len: end - start,
            owner: self.owner.clone(),
        }
    }

    /// One more reference to the block. No atomic operation while those at hand suffice.
    #[inline]
    pub(crate) fn split_owner(&mut self) -> Option<BlockRefBatch> {
        self.owner.as_mut().map(BlockRefBatch::split)
    }

    /// Takes the first `count` bytes off, fewer than all. No atomic operation
    /// while the references at hand suffice.
    #[inline]
    pub(crate) fn split_front(&mut self, count: usize) -> Self {
        let front = self.checked_at(0, count);
        let rest = self.checked_at(count, self.len);
        // First, since a provider's own clone may panic: nothing has changed then.
        let owner = self.split_owner();
        self.ptr = rest;
        self.len -= count;
        Self {
            ptr: front,
            len: count,
            owner,
        }
    }

    /// Drops all but the last `len` bytes.
    pub(crate) fn keep_back(&mut self, len: usize) {
        self.ptr = self.checked_at(self.len - len, self.len);
        self.len = len;
    }

    /// Drops all but the first `len` bytes.
    pub(crate) fn keep_front(&mut self, len: usize) {
        let _ = self.checked_at(0, len);
        self.len = len;
    }

    /// Makes `next` part of this span if it follows in the same block; gives it
    /// back otherwise.
    #[inline]
    pub(crate) fn merge(&mut self, next: Self) -> Result<(), Self> {
        // Comparing addresses says where two spans lie; the same owner says that
        // they lie in one allocation, so that one pointer reaches both (S1).
        if !core::ptr::eq(self.end_address(), next.ptr.as_ptr()) {
            return Err(next);
        }
        let (Some(mine), Some(_)) = (&mut self.owner, &next.owner) else {
            return Err(next);
        };
        let (ptr, len, owner) = next.into_parts();
        match owner.map(|theirs| mine.merge(theirs)) {
            Some(Ok(())) => {
                self.len += len;
                Ok(())
            }
            Some(Err(theirs)) => Err(Self {
                ptr,
                len,
                owner: Some(theirs),
            }),
            None => Ok(()),
        }
    }

    #[inline]
    fn end_address(&self) -> *const u8 {
        self.ptr.as_ptr().wrapping_add(self.len)
    }

    /// Address of byte `start`, for a span `start..end` inside this one.
    #[inline]
    fn checked_at(&self, start: usize, end: usize) -> NonNull<u8> {
        assert!(start < end && end <= self.len, "S2: a part of a span");
        // SAFETY: `start` is less than `len`, so the result is inside the bytes of S1.
        unsafe { self.ptr.add(start) }
    }
}
