//! Consuming from the front.

use core::mem;

use super::BytesView;
use crate::error::panics;
use crate::span::Span;
use crate::span_list::SpanList;

impl BytesView {
    /// Drops `count` bytes from the front, across any number of slices.
    /// O(1) amortised per span passed.
    ///
    /// # Panics
    /// If `count` is more than [`len`](Self::len); the view is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let mut view = BytesView::from_static(b"header body");
    /// view.advance(7);
    /// assert_eq!(view, b"body");
    /// ```
    #[inline]
    #[track_caller]
    pub fn advance(&mut self, count: usize) {
        if count < self.first_len {
            self.bump(count);
        } else if count > self.len() {
            panics::advance_past_end(count, self.len());
        } else {
            self.advance_spans(count);
        }
    }

    /// Consumes at least the whole first slice, and at most everything.
    ///
    /// Works on a view that `self` is replaced with at the end: dropping a span may
    /// run the destructor of a user's owner, and if that panics, `self` is empty
    /// rather than half changed.
    #[cold]
    fn advance_spans(&mut self, count: usize) {
        debug_assert!(count >= self.first_len && count <= self.len());
        let mut rest = mem::take(self);
        if count == rest.len() {
            return;
        }
        if rest.list_mut().is_some() {
            rest.advance_own_list(count);
        } else {
            rest = rest.copy_from(count);
        }
        *self = rest;
    }

    /// What is left of a view that shares its list after `count` bytes, in a list
    /// of its own.
    fn copy_from(&self, count: usize) -> Self {
        let Some(list) = self.list() else {
            return Self::new();
        };
        let skip = list.front().map_or(0, Span::len) - self.first_len + count;
        let (index, start) = list.find(skip);
        let mut rest = SpanList::with_capacity(list.count() - index);
        for span in list.iter_from(index) {
            rest.push_back(span.sub(0, span.len()));
        }
        let mut rest = Self::from_list(rest);
        if skip > start {
            rest.bump(skip - start);
        }
        rest
    }

    /// `advance_spans` for a list that nobody shares; something will be left.
    fn advance_own_list(&mut self, count: usize) {
        let mut missing = count;
        let Some(list) = self.list_mut() else { return };
        while let Some(first) = list.front() {
            if first.len() > missing {
                break;
            }
            missing -= first.len();
            list.pop_front();
        }
        // Without a sum that could overflow: `missing` is at most `count`.
        self.reload(self.len() - (count - missing), missing);
    }
}
