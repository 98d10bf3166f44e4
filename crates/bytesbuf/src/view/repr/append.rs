//! Joining two views.

use core::mem;

use super::BytesView;
use crate::error::panics;
use crate::shared_list;
use crate::span::Span;
use crate::span_list::SpanList;

impl BytesView {
    /// Appends the bytes of `other`, without copying them.
    ///
    /// O(1) amortised in the spans of the longer of the two. Neighbouring spans of
    /// one block become one.
    ///
    /// # Panics
    /// If the length would exceed `usize::MAX`; both are unchanged then (`other`
    /// is dropped).
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let mut view = BytesView::from_static(b"head");
    /// view.append(BytesView::from(b"body".to_vec()));
    /// assert_eq!(view, b"headbody");
    /// ```
    #[track_caller]
    pub fn append(&mut self, other: Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            self.fill(other);
            return;
        }
        let Some(total) = self.len().checked_add(other.len()) else {
            panics::length_overflow(self.len(), other.len());
        };
        self.append_spans(other, total);
    }

    /// Appends one span. The caller knows that the length does not overflow.
    #[inline]
    pub(crate) fn append_span(&mut self, span: Span) {
        if self.is_empty() {
            self.fill(Self::from_span(span));
        } else {
            let total = self.len() + span.len();
            self.append_spans(Self::from_span(span), total);
        }
    }

    /// Whether the view has one span, or none.
    #[inline]
    pub(crate) const fn is_contiguous(&self) -> bool {
        self.rest_len == 0
    }

    /// Makes an empty view one of a span and a contiguous view behind it, which is not
    /// its neighbour. The caller knows that the length does not overflow.
    #[inline]
    pub(crate) fn fill_with(&mut self, span: Span, view: Self) {
        debug_assert!(self.is_empty() && !view.is_empty() && view.is_contiguous());
        if let Some(second) = view.into_only_span() {
            self.fill(Self::of_two(span, second));
        }
    }

    /// `*self = view` for an empty `self`, which has nothing to drop (W3).
    #[inline]
    fn fill(&mut self, view: Self) {
        debug_assert!(self.owner.is_none(), "W3");
        mem::forget(mem::replace(self, view));
    }

    /// Appends `other`; neither is empty, and `total` is the sum of their lengths.
    fn append_spans(&mut self, mut other: Self, total: usize) {
        if other.rest_len == 0 {
            if self.rest_len == 0 {
                let (left, right) = (mem::take(self).into_only_span(), other.into_only_span());
                if let (Some(left), Some(right)) = (left, right) {
                    *self = Self::from_two(left, right);
                }
                return;
            }
            if let Some(list) = self.list_mut() {
                if let Some(span) = other.into_only_span() {
                    list.push_back(span);
                    // W2: a list of two at least, so the first span is as it was.
                    self.rest_len = total - self.first_len;
                }
                return;
            }
        } else if self.rest_len == 0 && other.list_mut().is_some() {
            let only = mem::take(self).into_only_span();
            if let (Some(list), Some(span)) = (other.list_mut(), only) {
                list.push_front(span);
            }
            other.reload(total, 0);
            *self = other;
            return;
        }
        let (left, right) = (mem::take(self).into_list(), other.into_list());
        *self = Self::from_list(join(left, right));
    }

    fn from_two(mut left: Span, right: Span) -> Self {
        match left.merge(right) {
            Ok(()) => Self::from_span(left),
            Err(right) => Self::of_two(left, right),
        }
    }

    /// The view of two spans that are not neighbours in one block.
    #[inline]
    fn of_two(left: Span, right: Span) -> Self {
        Self {
            ptr: left.as_ptr(),
            first_len: left.len(),
            rest_len: right.len(),
            owner: Some(shared_list::share_two(left, right)),
        }
    }
}

/// The spans of both, moved to the end of the one that has more.
fn join(mut left: SpanList, mut right: SpanList) -> SpanList {
    if left.count() >= right.count() {
        while let Some(span) = right.pop_front() {
            left.push_back(span);
        }
        left
    } else {
        while let Some(span) = left.pop_back() {
            right.push_front(span);
        }
        right
    }
}
