//! Many spans in order: the only type that knows the order of spans and where
//! each of them lies in the whole.
//!
//! # Invariants
//! * **L1** `entries[i].end` is the position behind span `i`, counted (wrapping)
//!   from an arbitrary origin: `end[i] - end[i-1] == len[i]`.
//! * **L2** The sum of all lengths fits in a `usize`.

use alloc::collections::{VecDeque, vec_deque};

use crate::span::Span;

#[derive(Debug)]
struct Entry {
    span: Span,
    end: usize,
}

/// Spans with the position of each, in a ring that grows at both ends.
#[derive(Debug, Default)]
pub(crate) struct SpanList {
    entries: VecDeque<Entry>,
}

impl SpanList {
    pub(crate) fn with_capacity(spans: usize) -> Self {
        Self {
            entries: VecDeque::with_capacity(spans),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    /// Total length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.entries
            .back()
            .map_or(0, |last| last.end.wrapping_sub(self.origin()))
    }

    /// Position of the first byte.
    fn origin(&self) -> usize {
        self.entries
            .front()
            .map_or(0, |first| first.end.wrapping_sub(first.span.len()))
    }

    pub(crate) fn front(&self) -> Option<&Span> {
        self.entries.front().map(|entry| &entry.span)
    }

    pub(crate) fn iter(&self) -> SpanIter<'_> {
        self.iter_from(0)
    }

    /// The spans from index `from` on.
    pub(crate) fn iter_from(&self, from: usize) -> SpanIter<'_> {
        SpanIter(self.entries.range(from..))
    }

    /// Index of the span with byte `offset`, and the offset of its first byte.
    /// O(log n).
    pub(crate) fn find(&self, offset: usize) -> (usize, usize) {
        let origin = self.origin();
        let index = self
            .entries
            .partition_point(|entry| entry.end.wrapping_sub(origin) <= offset);
        let start = self
            .entries
            .get(index)
            .map_or(0, |entry| entry.end.wrapping_sub(origin) - entry.span.len());
        (index, start)
    }

    /// Appends a span; it becomes part of the last one if it follows it in the
    /// same block. O(1) amortised.
    pub(crate) fn push_back(&mut self, span: Span) {
        let len = span.len();
        let span = match self.entries.back_mut() {
            Some(last) => match last.span.merge(span) {
                Ok(()) => {
                    last.end = last.end.wrapping_add(len);
                    return;
                }
                Err(span) => span,
            },
            None => span,
        };
        let end = self
            .entries
            .back()
            .map_or(0, |last| last.end)
            .wrapping_add(len);
        self.entries.push_back(Entry { span, end });
    }

    /// Prepends a span. O(1) amortised.
    pub(crate) fn push_front(&mut self, mut span: Span) {
        if let Some(first) = self.entries.pop_front() {
            match span.merge(first.span) {
                Ok(()) => {
                    self.entries.push_front(Entry {
                        span,
                        end: first.end,
                    });
                    return;
                }
                Err(first_span) => self.entries.push_front(Entry {
                    span: first_span,
                    end: first.end,
                }),
            }
        }
        let end = self.origin();
        self.entries.push_front(Entry { span, end });
    }

    pub(crate) fn pop_front(&mut self) -> Option<Span> {
        self.entries.pop_front().map(|entry| entry.span)
    }

    pub(crate) fn pop_back(&mut self) -> Option<Span> {
        self.entries.pop_back().map(|entry| entry.span)
    }

    /// Shrinks the ring if most of it is unused. O(1) amortised.
    pub(crate) fn give_back_capacity(&mut self) {
        let (used, capacity) = (self.entries.len(), self.entries.capacity());
        if capacity > 64 && used < capacity / 4 {
            self.entries.shrink_to(used * 2);
        }
    }

    /// Drops all but the last `len` bytes of the first span.
    pub(crate) fn trim_first_to(&mut self, len: usize) {
        if let Some(first) = self.entries.front_mut() {
            if first.span.len() != len {
                first.span.keep_back(len);
            }
        }
    }
}

/// Spans in order.
#[derive(Debug, Clone)]
pub(crate) struct SpanIter<'a>(vec_deque::Iter<'a, Entry>);

impl<'a> Iterator for SpanIter<'a> {
    type Item = &'a Span;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|entry| &entry.span)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for SpanIter<'_> {}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::convert::owner_span;

    fn list(lens: &[usize]) -> SpanList {
        let mut list = SpanList::default();
        for &len in lens {
            list.push_back(owner_span(alloc::vec![0_u8; len]).unwrap());
        }
        list
    }

    #[track_caller]
    fn check_find(list: &SpanList, offset: usize, expected: (usize, usize)) {
        assert_eq!(list.find(offset), expected, "offset {offset}");
    }

    #[test]
    fn find_by_offset() {
        let list = list(&[3, 1, 4]);
        check_find(&list, 0, (0, 0));
        check_find(&list, 2, (0, 0));
        check_find(&list, 3, (1, 3));
        check_find(&list, 4, (2, 4));
        check_find(&list, 7, (2, 4));
        assert_eq!(list.len(), 8);
    }

    #[test]
    fn offsets_survive_changes_at_both_ends() {
        let mut list = list(&[3, 1, 4]);
        list.push_front(owner_span(alloc::vec![0_u8; 2]).unwrap());
        check_find(&list, 1, (0, 0));
        check_find(&list, 2, (1, 2));
        assert_eq!(list.len(), 10);
        list.pop_front();
        list.trim_first_to(1);
        check_find(&list, 1, (1, 1));
        assert_eq!(list.len(), 6);
        list.pop_back();
        assert_eq!(list.len(), 2);
        assert_eq!(list.iter().map(Span::len).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn neighbours_of_one_block_merge() {
        let mut whole = owner_span(alloc::vec![1_u8, 2, 3, 4]).unwrap();
        let front = whole.split_front(1);
        let second = whole.split_front(1);
        let mut list = SpanList::default();
        list.push_back(second);
        list.push_back(whole);
        list.push_front(front);
        assert_eq!(list.count(), 1);
        assert_eq!(list.front().unwrap().as_slice(), [1, 2, 3, 4]);
    }

    #[test]
    fn neighbours_of_different_blocks_do_not() {
        let list = list(&[3, 1, 4]);
        assert_eq!(list.count(), 3);
    }
}
