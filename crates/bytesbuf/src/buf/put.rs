//! Appending bytes.

use core::borrow::Borrow;

use super::{BytesBuf, Unfilled};
use crate::BytesView;
use crate::error::{NotEnoughCapacity, panics};

impl BytesBuf {
    /// Appends a copy of `src`. O(bytes); one copy, no atomics, within a block.
    ///
    /// # Panics
    /// If `src` is longer than [`remaining_capacity`](Self::remaining_capacity);
    /// nothing is written then. The buffer never grows by itself.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(16);
    /// buf.put_slice(*b"array");
    /// buf.put_slice(b" slice".as_slice());
    /// assert_eq!(buf.consume_all(), b"array slice");
    /// ```
    #[inline]
    #[track_caller]
    pub fn put_slice(&mut self, src: impl Borrow<[u8]>) {
        if !self.put_before_end(src.borrow()) {
            // Moved, so that only this path needs it in memory.
            let src = src;
            self.put_or_panic(src.borrow());
        }
    }

    /// What is left of a put after [`put_before_end`](Self::put_before_end) declined.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn put_or_panic(&mut self, src: &[u8]) {
        if let Err(error) = self.put_across_blocks(src) {
            panics::no_capacity(error.requested, error.remaining);
        }
    }

    /// Appends a copy of `src`. O(bytes).
    ///
    /// # Errors
    /// If `src` is longer than [`remaining_capacity`](Self::remaining_capacity);
    /// nothing is written then.
    #[inline]
    pub fn try_put_slice(&mut self, src: &[u8]) -> Result<(), NotEnoughCapacity> {
        if self.put_before_end(src) {
            return Ok(());
        }
        self.put_across_blocks(src)
    }

    #[cold]
    fn put_across_blocks(&mut self, mut src: &[u8]) -> Result<(), NotEnoughCapacity> {
        self.check_capacity(src.len())?;
        while !src.is_empty() {
            // B3: not empty while there is capacity.
            let (now, later) = src.split_at(src.len().min(self.first_unfilled_len()));
            self.put_within_block(now);
            src = later;
        }
        Ok(())
    }

    /// Appends the bytes of `view` without copying them. Takes no capacity: the rest
    /// of the current block stays usable behind them. O(1) amortised for a view of one
    /// slice; otherwise as [`BytesView::append`]. A view that was [peeked](Self::peek) at, or
    /// a clone of `view`, costs a copy of the list of slices while it is alive.
    ///
    /// # Panics
    /// If the capacity would exceed `usize::MAX`; the buffer is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(64);
    /// buf.put_slice(*b"header ");
    /// buf.put_bytes(BytesView::from(b"payload".to_vec()));
    /// buf.put_slice(*b" trailer");
    /// assert_eq!(buf.consume_all(), b"header payload trailer");
    /// ```
    #[inline]
    #[track_caller]
    pub fn put_bytes(&mut self, view: BytesView) {
        if view.is_empty() {
            return;
        }
        if self.capacity().checked_add(view.len()).is_none() {
            panics::capacity_overflow(self.capacity(), view.len());
        }
        self.put_view(view);
    }

    /// Appends one byte. O(1).
    ///
    /// # Panics
    /// Without remaining capacity.
    #[inline]
    #[track_caller]
    pub fn put_byte(&mut self, value: u8) {
        if !self.put_byte_before_end(value) {
            let unfilled = self.put_array_or_panic([value]);
            self.reload(unfilled);
        }
    }

    /// Appends `count` times the same byte. O(count).
    ///
    /// # Panics
    /// If `count` is more than [`remaining_capacity`](Self::remaining_capacity);
    /// nothing is written then.
    #[track_caller]
    pub fn put_byte_repeated(&mut self, value: u8, count: usize) {
        if let Err(error) = self.check_capacity(count) {
            panics::no_capacity(error.requested, error.remaining);
        }
        let mut missing = count;
        while missing > 0 {
            // B3: not empty while there is capacity.
            let now = missing.min(self.first_unfilled_len());
            self.fill_within_block(value, now);
            missing -= now;
        }
    }

    /// Appends the bytes of a number.
    #[inline]
    #[track_caller]
    pub(crate) fn put_array<const N: usize>(&mut self, bytes: [u8; N]) {
        if !self.put_before_end(&bytes) {
            let unfilled = self.put_array_or_panic(bytes);
            self.reload(unfilled);
        }
    }

    /// [`put_or_panic`](Self::put_or_panic) of an array by value: only this path needs
    /// it in memory.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn put_array_or_panic<const N: usize>(&mut self, bytes: [u8; N]) -> Unfilled {
        self.put_or_panic(&bytes);
        self.unfilled()
    }

    #[inline]
    fn check_capacity(&self, requested: usize) -> Result<(), NotEnoughCapacity> {
        let remaining = self.remaining_capacity();
        if requested > remaining {
            return Err(NotEnoughCapacity::new(requested, remaining));
        }
        Ok(())
    }
}
