//! Giving capacity away.

use super::BytesBuf;
use crate::error::panics;

impl BytesBuf {
    /// Moves `count` bytes of unfilled capacity from the end into a new, empty
    /// buffer: whole untouched blocks first, then the tail of one. Data stays.
    /// O(blocks moved).
    ///
    /// # Panics
    /// If `count` is more than [`remaining_capacity`](Self::remaining_capacity); the
    /// buffer is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(1000);
    /// let other = buf.split_off_remaining(24);
    /// assert_eq!(buf.remaining_capacity(), 1000);
    /// assert_eq!(other.remaining_capacity(), 24);
    /// ```
    #[must_use = "the capacity is gone from the buffer"]
    #[track_caller]
    pub fn split_off_remaining(&mut self, count: usize) -> Self {
        match self.split_off_remaining_checked(count) {
            Some(buf) => buf,
            None => panics::split_past_capacity(count, self.remaining_capacity()),
        }
    }

    /// Like [`split_off_remaining`](Self::split_off_remaining), or `None` if there is
    /// less capacity than that.
    #[must_use = "the capacity is gone from the buffer"]
    pub fn split_off_remaining_checked(&mut self, count: usize) -> Option<Self> {
        if count > self.remaining_capacity() {
            return None;
        }
        let mut blocks = alloc::vec::Vec::new();
        let mut missing = count;
        while let Some(block) = self.pop_later(missing) {
            missing -= block.len;
            blocks.push(block);
        }
        let tail = (missing > 0).then(|| self.split_tail(missing));
        let mut split = Self::new();
        for block in tail.into_iter().chain(blocks.into_iter().rev()) {
            split.push_open_block(block);
        }
        Some(split)
    }
}
