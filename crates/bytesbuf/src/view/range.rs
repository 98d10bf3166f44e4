//! Sub-views.

use core::ops::RangeBounds;

use super::BytesView;
use crate::bounds;
use crate::error::panics;
use crate::span::Span;
use crate::span_list::SpanList;

impl BytesView {
    /// A view of some of the bytes, without copying them. Offsets count from the
    /// first byte that is left.
    ///
    /// O(log spans + spans covered); one atomic addition per span covered, one for
    /// the whole view. An empty range holds no memory.
    ///
    /// # Panics
    /// If the range does not lie within `0..len()`.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let view = BytesView::from_static(b"hello world");
    /// assert_eq!(view.range(6..), b"world");
    /// assert_eq!(view.range(..=4), b"hello");
    /// ```
    #[must_use]
    #[track_caller]
    #[inline]
    pub fn range<R: RangeBounds<usize>>(&self, range: R) -> Self {
        let Some((start, end)) = bounds::resolve(&range, self.len()) else {
            panics::range_out_of_bounds(self.len());
        };
        self.sub(start, end)
    }

    /// Like [`range`](Self::range), or `None` if the range does not lie within
    /// `0..len()`.
    #[must_use]
    #[inline]
    pub fn range_checked<R: RangeBounds<usize>>(&self, range: R) -> Option<Self> {
        let (start, end) = bounds::resolve(&range, self.len())?;
        Some(self.sub(start, end))
    }

    /// Bytes `start..end` of the view, which has as many.
    #[inline]
    fn sub(&self, start: usize, end: usize) -> Self {
        if start < end && self.is_contiguous() {
            self.sub_first(start, end)
        } else {
            self.sub_rest(start, end)
        }
    }

    /// A range of nothing, or of a view of several spans.
    #[cold]
    #[inline(never)]
    fn sub_rest(&self, start: usize, end: usize) -> Self {
        if start == end {
            Self::new()
        } else if end <= self.first_slice().len() {
            self.sub_first(start, end)
        } else {
            self.sub_spans(start, end)
        }
    }

    /// A range that reaches beyond the first slice.
    fn sub_spans(&self, start: usize, end: usize) -> Self {
        let Some(list) = self.list() else {
            return Self::new();
        };
        if start == 0 && end == self.len() {
            return self.clone();
        }
        // What the view has consumed of the list's first span.
        let consumed = list.front().map_or(0, Span::len) - self.first_slice().len();
        let (start, end) = (start + consumed, end + consumed);
        let (first, mut position) = list.find(start);
        let mut covered = SpanList::default();
        for span in list.iter_from(first) {
            if position >= end {
                break;
            }
            let from = start.saturating_sub(position);
            let to = (end - position).min(span.len());
            position += span.len();
            covered.push_back(span.sub(from, to));
        }
        Self::from_list(covered)
    }
}
