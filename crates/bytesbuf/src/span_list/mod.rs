//! Many spans in order: the only type that knows the order of spans and where
//! each of them lies in the whole.
//!
//! A message is a header, a payload and perhaps a trailer: so few spans lie in the
//! list itself, which then is one allocation together with its count (see
//! `shared_list`). More of them move to a ring.
//!
//! # Invariants
//! * **L1** `entries[i].end` is the position behind span `i`, counted (wrapping)
//!   from an arbitrary origin: `end[i] - end[i-1] == len[i]`.
//! * **L2** The sum of all lengths fits in a `usize`.

mod entries;
#[cfg(all(test, not(bytesbuf_loom)))]
mod tests;

use alloc::collections::VecDeque;
use core::slice;

use arrayvec::ArrayVec;
use bytesbuf_core::BlockRefBatch;

use self::entries::{Entries, FEW};
use crate::span::Span;

#[derive(Debug)]
struct Entry {
    span: Span,
    end: usize,
}

/// Spans with the position of each; grows at both ends.
#[derive(Debug)]
pub(crate) struct SpanList {
    entries: Entries,
}

impl Default for SpanList {
    #[inline]
    fn default() -> Self {
        Self {
            entries: Entries::Few(ArrayVec::new()),
        }
    }
}

impl SpanList {
    /// An empty list that will hold about that many.
    pub(crate) fn with_capacity(spans: usize) -> Self {
        if spans <= FEW {
            return Self::default();
        }
        Self {
            entries: Entries::Many(VecDeque::with_capacity(spans)),
        }
    }

    /// A list of two spans that are known not to be neighbours in one block.
    #[inline]
    pub(crate) fn of_two(first: Span, second: Span) -> Self {
        let middle = first.len();
        let end = middle.wrapping_add(second.len());
        let mut few = ArrayVec::new();
        few.push(Entry {
            span: first,
            end: middle,
        });
        few.push(Entry { span: second, end });
        Self {
            entries: Entries::Few(few),
        }
    }

    pub(crate) fn count(&self) -> usize {
        match &self.entries {
            Entries::Few(few) => few.len(),
            Entries::Many(many) => many.len(),
        }
    }

    /// Total length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.entries
            .last()
            .map_or(0, |last| last.end.wrapping_sub(self.origin()))
    }

    /// Position of the first byte.
    fn origin(&self) -> usize {
        self.entries
            .first()
            .map_or(0, |first| first.end.wrapping_sub(first.span.len()))
    }

    #[inline]
    pub(crate) fn front(&self) -> Option<&Span> {
        self.entries.first().map(|entry| &entry.span)
    }

    /// The first span, and the others.
    #[inline]
    pub(crate) fn split_first(&self) -> Option<(&Span, SpanIter<'_>)> {
        let (front, back) = self.entries.as_slices();
        let (first, front) = front.split_first()?;
        Some((&first.span, SpanIter::new(front, back)))
    }

    /// The spans from index `from` on, which is at most their number.
    #[inline]
    pub(crate) fn iter_from(&self, from: usize) -> SpanIter<'_> {
        let (front, back) = self.entries.as_slices();
        match front.get(from..) {
            Some(front) => SpanIter::new(front, back),
            None => SpanIter::new(&[], &back[from - front.len()..]),
        }
    }

    pub(crate) fn iter(&self) -> SpanIter<'_> {
        self.iter_from(0)
    }

    /// Index of the span with byte `offset`, and the offset of its first byte.
    /// O(log n).
    pub(crate) fn find(&self, offset: usize) -> (usize, usize) {
        let origin = self.origin();
        let before = |entry: &Entry| entry.end.wrapping_sub(origin) <= offset;
        let (index, entry) = match &self.entries {
            Entries::Few(few) => {
                let index = few.partition_point(before);
                (index, few.get(index))
            }
            Entries::Many(many) => {
                let index = many.partition_point(before);
                (index, many.get(index))
            }
        };
        let start = entry.map_or(0, |entry| entry.end.wrapping_sub(origin) - entry.span.len());
        (index, start)
    }

    /// Appends a span; it becomes part of the last one if it follows it in the
    /// same block. O(1) amortised.
    pub(crate) fn push_back(&mut self, span: Span) {
        let len = span.len();
        let (span, before) = match self.entries.last_mut() {
            Some(last) => match last.span.merge(span) {
                Ok(()) => {
                    last.end = last.end.wrapping_add(len);
                    return;
                }
                Err(span) => (span, last.end),
            },
            None => (span, 0),
        };
        let end = before.wrapping_add(len);
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

    /// One more reference to the first span's block, if there is such a span with a block.
    #[inline]
    pub(crate) fn split_first_owner(&mut self) -> Option<BlockRefBatch> {
        self.entries.first_mut()?.span.split_owner()
    }

    /// Shrinks the ring if most of it is unused. O(1) amortised.
    pub(crate) fn give_back_capacity(&mut self) {
        if let Entries::Many(many) = &mut self.entries {
            let (used, capacity) = (many.len(), many.capacity());
            if capacity > 64 && used < capacity / 4 {
                many.shrink_to(used * 2);
            }
        }
    }

    /// Drops all but the last `len` bytes of the first span.
    pub(crate) fn trim_first_to(&mut self, len: usize) {
        if let Some(first) = self.entries.first_mut() {
            if first.span.len() != len {
                first.span.keep_back(len);
            }
        }
    }
}

/// Spans in order.
#[derive(Debug, Clone)]
pub(crate) struct SpanIter<'a> {
    front: slice::Iter<'a, Entry>,
    back: slice::Iter<'a, Entry>,
}

impl<'a> SpanIter<'a> {
    #[inline]
    fn new(front: &'a [Entry], back: &'a [Entry]) -> Self {
        let (front, back) = (front.iter(), back.iter());
        Self { front, back }
    }

    /// No spans.
    #[inline]
    pub(crate) fn empty() -> Self {
        Self::new(&[], &[])
    }
}

impl<'a> Iterator for SpanIter<'a> {
    type Item = &'a Span;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let entry = match self.front.next() {
            Some(entry) => entry,
            None => self.back.next()?,
        };
        Some(&entry.span)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.front.len() + self.back.len();
        (count, Some(count))
    }
}

impl ExactSizeIterator for SpanIter<'_> {}
