//! Joining two views.

use core::mem;

use super::BytesView;
use crate::error::panics;
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
            *self = other;
            return;
        }
        let Some(total) = self.len().checked_add(other.len()) else {
            panics::length_overflow(self.len(), other.len());
        };
        self.append_spans(other, total);
    }

    fn append_spans(&mut self, mut other: Self, total: usize) {
        match (self.rest_len == 0, other.rest_len == 0) {
            (true, true) => {
                let (left, right) = (mem::take(self).into_only_span(), other.into_only_span());
                if let (Some(left), Some(right)) = (left, right) {
                    *self = Self::from_two(left, right);
                }
            }
            (false, true) if self.list_mut().is_some() => {
                if let (Some(list), Some(span)) = (self.list_mut(), other.into_only_span()) {
                    list.push_back(span);
                }
                self.reload(total, 0);
            }
            (true, false) if other.list_mut().is_some() => {
                let only = mem::take(self).into_only_span();
                if let (Some(list), Some(span)) = (other.list_mut(), only) {
                    list.push_front(span);
                }
                other.reload(total, 0);
                *self = other;
            }
            _ => {
                let (left, right) = (mem::take(self).into_list(), other.into_list());
                *self = Self::from_list(join(left, right));
            }
        }
    }

    fn from_two(mut left: Span, right: Span) -> Self {
        match left.merge(right) {
            Ok(()) => Self::from_span(left),
            Err(right) => {
                let mut list = SpanList::with_capacity(4);
                list.push_back(left);
                list.push_back(right);
                Self::from_list(list)
            }
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
