//! Reading bytes off the front.
#![expect(unsafe_code, reason = "copies into uninitialised memory")]

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::slice;

use super::{BytesView, Fields};
use crate::error::{NotEnoughBytes, panics};

impl BytesView {
    /// Takes one byte. O(1).
    ///
    /// # Panics
    /// If the view is empty.
    ///
    /// # Examples
    /// ```
    /// let mut view = bytesbuf::BytesView::from_static(b"ab");
    /// assert_eq!(view.get_byte(), b'a');
    /// assert_eq!(view.len(), 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn get_byte(&mut self) -> u8 {
        match self.try_get_byte() {
            Ok(byte) => byte,
            Err(_) => panics::read_past_end(1, 0),
        }
    }

    /// Takes one byte. O(1).
    ///
    /// # Errors
    /// If the view is empty.
    #[inline]
    pub fn try_get_byte(&mut self) -> Result<u8, NotEnoughBytes> {
        self.take_array().map(|[byte]| byte)
    }

    /// Fills all of `dst` and consumes as much. O(bytes).
    ///
    /// # Panics
    /// If `dst` is longer than the view; nothing is consumed then.
    ///
    /// # Examples
    /// ```
    /// let mut view = bytesbuf::BytesView::from_static(b"magic rest");
    /// let mut magic = [0; 5];
    /// view.copy_to_slice(&mut magic);
    /// assert_eq!(&magic, b"magic");
    /// ```
    #[inline]
    #[track_caller]
    pub fn copy_to_slice(&mut self, dst: &mut [u8]) {
        if let Err(error) = self.try_copy_to_slice(dst) {
            panics::read_past_end(error.requested, error.available);
        }
    }

    /// Fills all of `dst` and consumes as much. O(bytes).
    ///
    /// # Errors
    /// If `dst` is longer than the view; nothing is consumed then.
    #[inline]
    pub fn try_copy_to_slice(&mut self, dst: &mut [u8]) -> Result<(), NotEnoughBytes> {
        let (ptr, len) = (dst.as_mut_ptr().cast::<MaybeUninit<u8>>(), dst.len());
        // SAFETY: the same memory, borrowed exclusively; only initialised bytes are
        // written through it, so `dst` stays initialised.
        let dst = unsafe { slice::from_raw_parts_mut(ptr, len) };
        self.try_copy_to_uninit_slice(dst)
    }

    /// Initialises all of `dst` and consumes as much. O(bytes).
    ///
    /// # Panics
    /// If `dst` is longer than the view; nothing is consumed then.
    #[inline]
    #[track_caller]
    pub fn copy_to_uninit_slice(&mut self, dst: &mut [MaybeUninit<u8>]) {
        if let Err(error) = self.try_copy_to_uninit_slice(dst) {
            panics::read_past_end(error.requested, error.available);
        }
    }

    /// Initialises all of `dst` and consumes as much. O(bytes).
    ///
    /// # Errors
    /// If `dst` is longer than the view; nothing is consumed then.
    #[inline]
    pub fn try_copy_to_uninit_slice(
        &mut self,
        dst: &mut [MaybeUninit<u8>],
    ) -> Result<(), NotEnoughBytes> {
        if dst.len() > self.len() {
            return Err(NotEnoughBytes::new(dst.len(), self.len()));
        }
        if let Some(source) = self.first_slice().get(..dst.len()) {
            copy(source, dst);
            self.advance(dst.len());
        } else {
            self.copy_spans(dst);
        }
        Ok(())
    }

    #[cold]
    fn copy_spans(&mut self, dst: &mut [MaybeUninit<u8>]) {
        let mut rest = &mut *dst;
        for (slice, _) in self.slices() {
            let count = slice.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            copy(&slice[..count], now);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        self.advance(dst.len());
    }

    /// Takes `N` bytes, or none if there are fewer.
    #[inline]
    pub(crate) fn take_array<const N: usize>(&mut self) -> Result<[u8; N], NotEnoughBytes> {
        match self.first_slice().first_chunk::<N>() {
            Some(&bytes) if N < self.first_slice().len() => {
                self.bump(N);
                Ok(bytes)
            }
            // By value: see `replaced_by`.
            _ => self.replaced_by(Self::take_array_slow),
        }
    }

    /// `take_array` of the last bytes of a slice, or of more than that.
    #[cold]
    #[inline(never)]
    fn take_array_slow<const N: usize>(
        mut view: Self,
    ) -> (Result<[u8; N], NotEnoughBytes>, Fields) {
        if let Some(&bytes) = view.first_slice().first_chunk() {
            view.pass_spans(N);
            return (Ok(bytes), view.into_fields());
        }
        let mut bytes = [0; N];
        let taken = view.try_copy_to_slice(&mut bytes);
        (taken.map(|()| bytes), view.into_fields())
    }

    /// A copy of all bytes. One allocation; nothing is consumed.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(bytesbuf::BytesView::from_static(b"ab").to_vec(), b"ab");
    /// ```
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        for (slice, _) in self.slices() {
            bytes.extend_from_slice(slice);
        }
        bytes
    }
}

/// `dst.write_copy_of_slice(source)` of newer compilers. Lengths are equal.
#[inline]
fn copy(source: &[u8], dst: &mut [MaybeUninit<u8>]) {
    let (ptr, len) = (source.as_ptr().cast::<MaybeUninit<u8>>(), source.len());
    // SAFETY: initialised bytes are also bytes that may be uninitialised; same
    // memory, shared borrow.
    let source = unsafe { slice::from_raw_parts(ptr, len) };
    dst.copy_from_slice(source);
}
