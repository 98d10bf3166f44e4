//! Cutting a view in two.
#![expect(unsafe_code, reason = "moves the pointer into the first span")]

use core::mem;

use super::BytesView;
use crate::error::panics;
use crate::span_list::SpanList;

impl BytesView {
    /// Keeps the first `len` bytes and drops the rest. Nothing happens if the view
    /// is not longer than that. O(spans dropped).
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let mut view = BytesView::from_static(b"abcdef");
    /// view.truncate(2);
    /// assert_eq!(view, b"ab");
    /// ```
    pub fn truncate(&mut self, len: usize) {
        let old = self.len();
        if len >= old {
            return;
        }
        if len == 0 {
            *self = Self::new();
        } else if self.rest_len == 0 {
            self.first_len = len;
        } else {
            self.truncate_spans(len);
        }
    }

    /// Like `replaced_by`, `self` is empty if the destructor of an owner panics.
    #[cold]
    fn truncate_spans(&mut self, len: usize) {
        let mut kept = mem::take(self);
        let mut excess = kept.len() - len;
        if let Some(list) = kept.list_mut() {
            while let Some(mut last) = list.pop_back() {
                if last.len() > excess {
                    last.keep_front(last.len() - excess);
                    list.push_back(last);
                    break;
                }
                excess -= last.len();
            }
            kept.reload(len, 0);
        } else {
            kept = kept.range(..len);
        }
        *self = kept;
    }

    /// Takes the first `count` bytes off as a view of their own.
    ///
    /// O(1) amortised per span passed. A view of one span gives its first half
    /// away without an atomic operation, but for one addition every many calls.
    ///
    /// # Panics
    /// If `count` is more than [`len`](Self::len); the view is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let mut view = BytesView::from_static(b"key=value");
    /// let key = view.split_to(3);
    /// assert_eq!((key, view), (b"key".to_vec().into(), b"=value".to_vec().into()));
    /// ```
    #[must_use = "the bytes are gone from the view"]
    #[inline]
    #[track_caller]
    pub fn split_to(&mut self, count: usize) -> Self {
        match &mut self.owner {
            Some(owner)
                if self.rest_len == 0
                    && count > 0
                    && count < self.first_len
                    && owner.weight() > 1 =>
            {
                // SAFETY: `count` is less than `first_len`: still inside the bytes of
                // W1.
                let rest = unsafe { self.ptr.add(count) };
                let front = mem::replace(&mut self.ptr, rest);
                self.first_len -= count;
                Self {
                    ptr: front,
                    first_len: count,
                    rest_len: 0,
                    owner: Some(owner.split()),
                }
            }
            _ => self.split_to_slow(count),
        }
    }

    /// `split_to` of other than a part of one span with a reference to spare.
    #[inline(never)]
    #[track_caller]
    fn split_to_slow(&mut self, count: usize) -> Self {
        let len = self.len();
        if count > len {
            panics::read_past_end(count, len);
        }
        if count == 0 {
            return Self::new();
        }
        if count == len {
            return mem::take(self);
        }
        if count < self.first_len {
            return self.split_first_slice_to(count);
        }
        self.split_list_to(count, len)
    }

    /// No span goes: a list stays as it is.
    fn split_first_slice_to(&mut self, count: usize) -> Self {
        // First, since a provider's own clone may panic: nothing has changed then.
        let owner = self.split_first_owner();
        let front = self.ptr;
        self.bump(count);
        Self {
            ptr: front,
            first_len: count,
            rest_len: 0,
            owner,
        }
    }

    /// At least the first span goes. Like in `replaced_by`, `self` is empty if something
    /// panics.
    #[cold]
    fn split_list_to(&mut self, count: usize, len: usize) -> Self {
        let mut rest = mem::take(self);
        let Some(list) = rest.list_mut() else {
            let front = rest.range(..count);
            rest.advance(count);
            *self = rest;
            return front;
        };
        let mut front = SpanList::default();
        let mut missing = count;
        while missing > 0 {
            let Some(mut first) = list.pop_front() else {
                break;
            };
            if first.len() > missing {
                front.push_back(first.split_front(missing));
                list.push_front(first);
                break;
            }
            missing -= first.len();
            front.push_back(first);
        }
        rest.reload(len - count, 0);
        *self = rest;
        Self::from_list(front)
    }

    /// Takes everything from `at` on off as a view of its own; the first `at`
    /// bytes stay. O(spans that go or spans that stay, whichever are fewer), plus
    /// O(log spans).
    ///
    /// # Panics
    /// If `at` is more than [`len`](Self::len); the view is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let mut view = BytesView::from_static(b"key=value");
    /// let rest = view.split_off(3);
    /// assert_eq!(view, b"key");
    /// assert_eq!(rest, b"=value");
    /// ```
    #[must_use = "the bytes are gone from the view"]
    #[track_caller]
    pub fn split_off(&mut self, at: usize) -> Self {
        if at > self.len() {
            panics::read_past_end(at, self.len());
        }
        if let Some(list) = self.list_mut() {
            let (first, _) = list.find(at);
            if list.count() - first <= first {
                return self.split_list_off(at);
            }
        }
        let front = self.split_to(at);
        mem::replace(self, front)
    }

    /// `split_off` from the back of a list that nobody shares. Like `replaced_by`,
    /// `self` is empty if something panics.
    fn split_list_off(&mut self, at: usize) -> Self {
        let mut kept = mem::take(self);
        let mut excess = kept.len() - at;
        let mut tail = SpanList::default();
        if let Some(list) = kept.list_mut() {
            while excess > 0 {
                let Some(mut last) = list.pop_back() else {
                    break;
                };
                if last.len() > excess {
                    let front = last.split_front(last.len() - excess);
                    list.push_back(front);
                    tail.push_front(last);
                    break;
                }
                excess -= last.len();
                tail.push_front(last);
            }
            kept.reload(at, 0);
        }
        *self = kept;
        Self::from_list(tail)
    }
}
