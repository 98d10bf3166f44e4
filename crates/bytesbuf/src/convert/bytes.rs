//! `bytes` interoperation (feature `bytes-compat`).
#![expect(unsafe_code, reason = "implements the unsafe trait BufMut")]

use bytes::buf::UninitSlice;
use bytes::{Buf, BufMut, Bytes};

use crate::{BytesBuf, BytesView};

/// Owner of the bytes of a view of one span, for `Bytes::from_owner`.
struct FirstSlice(BytesView);

impl AsRef<[u8]> for FirstSlice {
    fn as_ref(&self) -> &[u8] {
        self.0.first_slice()
    }
}

impl BytesView {
    /// The bytes as `Bytes`: without copying if they lie in one slice (one
    /// allocation), with one copy otherwise.
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
            Self::new()
        } else if view.first_slice().len() == view.len() {
            Self::from_owner(FirstSlice(view))
        } else {
            view.to_vec().into()
        }
    }
}

/// Zero copy, whatever the length. One allocation; none if it is empty.
impl From<Bytes> for BytesView {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            return Self::new();
        }
        Self::from_owner(bytes)
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

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, dst: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slot, slice) in dst.iter_mut().zip(self.io_slices()) {
            *slot = slice;
            count += 1;
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
