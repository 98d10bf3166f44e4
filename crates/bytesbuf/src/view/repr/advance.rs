//! Consuming from the front.

use core::mem;

use super::{BytesView, Fields};
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
    #[inline]
    fn advance_spans(&mut self, count: usize) {
        // By value: see `replaced_by`.
        self.replaced_by(|view| ((), Self::advanced(view, count)));
    }

    /// Replaces the view by what `slow_path` makes of it. If that panics (it may run the
    /// destructor of a user's owner), the view is empty rather than half changed.
    ///
    /// A slow path that takes a reference would keep the view in memory around it, in the
    /// loop of whoever reads number after number. A view that is only ever moved lives in
    /// registers.
    #[inline(always)]
    pub(crate) fn replaced_by<R>(&mut self, slow_path: impl FnOnce(Self) -> (R, Fields)) -> R {
        let view = mem::take(self);
        let (result, fields) = slow_path(view);
        // An empty view has nothing to drop (W3).
        mem::forget(mem::replace(self, Self::from_fields(fields)));
        result
    }

    /// What is left of `view` after `count` bytes: at least its whole first slice, and at
    /// most everything.
    #[cold]
    #[inline(never)]
    fn advanced(mut view: Self, count: usize) -> Fields {
        view.pass_spans(count);
        view.into_fields()
    }

    /// `advanced` in place, for a view that a slow path has by value. If the destructor of
    /// a user's owner panics, the view may point at bytes that are gone: the slow path does
    /// not catch that, so nothing is done with it any more but to drop it.
    pub(crate) fn pass_spans(&mut self, count: usize) {
        debug_assert!(count >= self.first_len && count <= self.len());
        if count == self.len() {
            *self = Self::new();
        } else if self.list_mut().is_some() {
            self.advance_own_list(count);
        } else {
            *self = self.copy_from(count);
        }
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

    /// `pass_spans` for a list that nobody shares; something will be left.
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
