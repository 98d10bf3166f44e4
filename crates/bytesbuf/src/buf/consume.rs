//! Taking data off the front.

use super::BytesBuf;
use crate::BytesView;
use crate::error::panics;
use crate::view::Fields;

impl BytesBuf {
    /// Takes the first `len` bytes off as a view, without copying them. The
    /// remaining capacity is unchanged. O(1) amortised per span.
    ///
    /// # Panics
    /// If `len` is more than [`len`](Self::len); the buffer is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(16);
    /// buf.put_slice(*b"key=value");
    /// assert_eq!(buf.consume(3), b"key");
    /// assert_eq!(buf.len(), 6);
    /// ```
    #[inline]
    #[track_caller]
    pub fn consume(&mut self, len: usize) -> BytesView {
        if self.is_in_block(len) {
            return self.take_filled(len);
        }
        match self.consume_rest(len) {
            Some(view) => view,
            None => panics::consume_past_end(len, self.len()),
        }
    }

    /// Like [`consume`](Self::consume), or `None` if there are fewer bytes.
    #[inline]
    pub fn consume_checked(&mut self, len: usize) -> Option<BytesView> {
        if self.is_in_block(len) {
            return Some(self.take_filled(len));
        }
        self.consume_rest(len)
    }

    /// Whether the first `len` bytes are data of the current block, and not none.
    #[inline]
    fn is_in_block(&self, len: usize) -> bool {
        self.frozen_len() == 0 && len > 0 && len <= self.filled_len()
    }

    /// `consume_checked` where frozen bytes come first, or for nothing.
    #[cold]
    fn consume_rest(&mut self, len: usize) -> Option<BytesView> {
        if len == 0 {
            return Some(BytesView::new());
        }
        let frozen = self.frozen_len();
        if len <= frozen {
            return Some(self.frozen_mut().split_to(len));
        }
        let filled = len - frozen;
        if filled > self.filled_len() {
            return None;
        }
        let mut view = self.take_frozen();
        view.append(self.take_filled(filled));
        Some(view)
    }

    /// Takes everything off: `consume(len())`.
    #[inline]
    pub fn consume_all(&mut self) -> BytesView {
        let filled = self.filled_len();
        if filled == 0 {
            return self.take_frozen();
        }
        if self.frozen_len() == 0 {
            return self.take_filled(filled);
        }
        BytesView::from_fields(self.consume_both())
    }

    /// Frozen bytes and all of the filled part behind them, neither of them empty.
    #[inline(never)]
    fn consume_both(&mut self) -> Fields {
        let mut view = self.take_frozen();
        view.append_span(self.take_filled_span(self.filled_len()));
        view.into_fields()
    }

    /// A view of everything that would be consumed, which stays in the buffer. Later
    /// writes do not show up in it. One or two atomic additions, plus one per span
    /// if both frozen spans and a block in the making are to be joined.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(16);
    /// buf.put_slice(*b"abc");
    /// let seen = buf.peek();
    /// buf.put_slice(*b"def");
    /// assert_eq!(seen, b"abc");
    /// assert_eq!(buf.consume_all(), b"abcdef");
    /// ```
    #[must_use]
    pub fn peek(&self) -> BytesView {
        let mut view = self.frozen().clone();
        view.append(self.peek_filled());
        view
    }

    /// Drops all data, and keeps the remaining capacity.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(16);
    /// buf.put_slice(*b"never mind");
    /// buf.clear();
    /// assert!(buf.is_empty());
    /// ```
    pub fn clear(&mut self) {
        drop(self.consume_all());
    }
}
