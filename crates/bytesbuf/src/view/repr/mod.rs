//! What a view is made of, and the only code that changes it: this folder.
//!
//! ```text
//!   one span                          several spans
//!   ptr ────────► bytes               ptr ────────► what is left of span 0
//!   first_len                         first_len
//!   rest_len = 0                      rest_len = bytes of spans 1..n
//!   owner ──────► block               owner ──────► shared list: span 0 | span 1 | ...
//! ```
//!
//! A clone takes one reference to `owner`, whatever the number of spans. A list
//! with other users is copied before the first change, so that a view keeps
//! exactly the blocks that it covers.
//!
//! # Invariants
//! * **W1** `ptr` is valid for reads of `first_len` bytes, initialised and
//!   unchanging, while `owner` exists (or for ever, without an owner).
//! * **W2** `rest_len > 0` if and only if `owner` is a list made by
//!   `shared_list`; its spans are those of the view, at least two, but
//!   that the view may have consumed the front of span 0.
//! * **W3** `first_len == 0` only if the view is empty; then `owner` is `None`.
//! * **W4** `first_len + rest_len` does not overflow.
#![expect(unsafe_code, reason = "one pointer into bytes that the owner keeps")]

mod advance;
mod append;
mod split;

use core::ptr::NonNull;

use bytesbuf_core::BlockRefBatch;

use crate::shared_list;
use crate::span::Span;
use crate::span_list::SpanList;

/// A cheap, immutable, possibly non-contiguous sequence of bytes.
///
/// A view shares the blocks that its bytes were written to. It is consumed from
/// the front by reading; a clone costs one atomic addition, a sub-view one for each
/// span that it covers, and neither copies bytes. A block goes back to its memory provider when the last view and buffer
/// that covers a part of it is gone.
///
/// | operation | cost |
/// |---|---|
/// | clone, drop | one atomic operation for any number of spans; the last to drop a list, one for each |
/// | [`len`](Self::len), [`first_slice`](Self::first_slice) | O(1), no atomics |
/// | [`advance`](Self::advance), [`get_byte`](Self::get_byte) and the other reads | O(1) amortised per span passed |
/// | [`append`](Self::append) | O(1) amortised in the spans of the longer one |
/// | [`range`](Self::range) | O(log spans + spans covered) |
///
/// A view of several spans shares the list of them with its clones, and with the
/// guards and peeks made of it. As long as one of those is alive, each operation that
/// changes the list (passing the end of a span, appending, splitting across spans)
/// copies it first, at one atomic addition a span, so that nothing consumed stays
/// alive. Cloning before each such step makes each step O(spans).
///
/// # Examples
/// ```
/// use bytesbuf::BytesView;
///
/// let mut message = BytesView::from_static(b"\x00\x05hello");
/// message.append(BytesView::from(b" world".to_vec()));
///
/// let len = message.get_u16_be() as usize;
/// let word = message.range(..len);
/// assert_eq!(word, b"hello");
/// assert_eq!(message, b"hello world");
/// ```
pub struct BytesView {
    ptr: NonNull<u8>,
    first_len: usize,
    rest_len: usize,
    owner: Option<BlockRefBatch>,
}

/// A view on its way out of a slow path. The fast path beside it makes the fields of its
/// result in registers; were both results views, they would be one place in memory, and
/// each move out of it would wait for the words that were just written to it.
pub(crate) struct Fields {
    ptr: NonNull<u8>,
    first_len: usize,
    rest_len: usize,
    owner: Option<BlockRefBatch>,
}

// SAFETY: immutable bytes (W1) and references that may be used on any thread.
unsafe impl Send for BytesView {}
// SAFETY: as above; a shared list is only changed through `&mut` by its sole
// owner (N2).
unsafe impl Sync for BytesView {}

const _: () = assert!(size_of::<BytesView>() <= 48);
const _: () = assert!(size_of::<Option<BytesView>>() == size_of::<BytesView>());

impl BytesView {
    /// An empty view. Holds no memory.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self {
            ptr: NonNull::dangling(),
            first_len: 0,
            rest_len: 0,
            owner: None,
        }
    }

    /// A view of bytes that live for ever. No allocation, usable in constants.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// const CRLF: BytesView = BytesView::from_static(b"\r\n");
    /// assert_eq!(CRLF, b"\r\n");
    /// ```
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        // A slice's address is never null; `new_unchecked` is not needed.
        match NonNull::new(bytes.as_ptr().cast_mut()) {
            Some(ptr) => Self {
                ptr,
                first_len: bytes.len(),
                rest_len: 0,
                owner: None,
            },
            None => Self::new(),
        }
    }

    /// Number of bytes left. O(1).
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        // W4: cannot overflow.
        self.first_len + self.rest_len
    }

    /// Whether nothing is left. O(1).
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        // W3.
        self.first_len == 0
    }

    /// The bytes up to the next border between spans: empty only if the view is.
    /// O(1).
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// assert_eq!(BytesView::from_static(b"abc").first_slice(), b"abc");
    /// assert_eq!(BytesView::new().first_slice(), b"");
    /// ```
    #[must_use]
    #[inline]
    pub fn first_slice(&self) -> &[u8] {
        // SAFETY: W1; the owner lives at least as long as the borrow of self. An
        // empty view's pointer is dangling, non-null and aligned: fine for length 0.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.first_len) }
    }

    #[inline]
    pub(crate) fn from_span(span: Span) -> Self {
        let (ptr, first_len, owner) = span.into_parts();
        Self {
            ptr,
            first_len,
            rest_len: 0,
            owner,
        }
    }

    /// The view for [`from_fields`](Self::from_fields).
    #[inline]
    pub(crate) fn into_fields(self) -> Fields {
        let Self {
            ptr,
            first_len,
            rest_len,
            owner,
        } = self;
        Fields {
            ptr,
            first_len,
            rest_len,
            owner,
        }
    }

    #[inline]
    pub(crate) fn from_fields(fields: Fields) -> Self {
        let Fields {
            ptr,
            first_len,
            rest_len,
            owner,
        } = fields;
        Self {
            ptr,
            first_len,
            rest_len,
            owner,
        }
    }

    /// The view of the spans of a list.
    pub(crate) fn from_list(mut list: SpanList) -> Self {
        if list.count() < 2 {
            return list.pop_front().map_or_else(Self::new, Self::from_span);
        }
        let Some(first) = list.front() else {
            return Self::new();
        };
        let (ptr, first_len) = (first.as_ptr(), first.len());
        Self {
            ptr,
            first_len,
            rest_len: list.len() - first_len,
            owner: Some(shared_list::share(list)),
        }
    }

    /// The list behind a view of several spans.
    #[inline]
    pub(crate) fn list(&self) -> Option<&SpanList> {
        if self.rest_len == 0 {
            return None;
        }
        // SAFETY: W2: with a rest, the owner is a shared list.
        self.owner
            .as_ref()
            .map(|owner| unsafe { shared_list::get(owner) })
    }

    /// The list behind a view of several spans, if no clone shares it. Its first
    /// span is trimmed to what the view has left of it.
    fn list_mut(&mut self) -> Option<&mut SpanList> {
        if self.rest_len == 0 {
            return None;
        }
        let owner = self.owner.as_mut()?;
        // SAFETY: W2: with a rest, the owner is a shared list.
        let list = unsafe { shared_list::get_mut(owner) }?;
        list.trim_first_to(self.first_len);
        Some(list)
    }

    /// The references that keep the first span's block.
    #[inline]
    pub(crate) fn first_owner(&self) -> Option<&BlockRefBatch> {
        match self.list() {
            None => self.owner.as_ref(),
            Some(list) => list.front()?.owner(),
        }
    }

    /// One more reference to the first span's block. No atomic operation while the references at
    /// hand suffice, unless a clone shares the list.
    #[inline]
    fn split_first_owner(&mut self) -> Option<BlockRefBatch> {
        if self.rest_len == 0 {
            return self.owner.as_mut().map(BlockRefBatch::split);
        }
        let owner = self.owner.as_mut()?;
        // SAFETY: W2: with a rest, the owner is a shared list.
        match unsafe { shared_list::get_mut(owner) } {
            Some(list) => list.split_first_owner(),
            None => self.first_owner().cloned(),
        }
    }

    /// The view as a list of spans, shared ones copied. O(1) for a sole owner,
    /// O(spans) otherwise.
    pub(crate) fn into_list(self) -> SpanList {
        if self.rest_len == 0 {
            let mut list = SpanList::default();
            if let Some(span) = self.into_only_span() {
                list.push_back(span);
            }
            return list;
        }
        let Self {
            first_len, owner, ..
        } = self;
        let Some(owner) = owner else {
            return SpanList::default();
        };
        // SAFETY: W2: with a rest, the owner is a shared list.
        unsafe { shared_list::take(owner, first_len) }
    }

    /// The span of a view that has one; `None` if it is empty.
    #[inline]
    fn into_only_span(self) -> Option<Span> {
        debug_assert!(self.rest_len == 0, "W2");
        if self.first_len == 0 {
            return None;
        }
        let Self {
            ptr,
            first_len,
            owner,
            ..
        } = self;
        // SAFETY: W1 is S1 for these three; not empty.
        Some(unsafe { Span::new(ptr, first_len, owner) })
    }

    /// A sub-view of the first slice. One atomic addition. `start < end`.
    #[inline]
    pub(crate) fn sub_first(&self, start: usize, end: usize) -> Self {
        assert!(
            start < end && end <= self.first_len,
            "within the first slice"
        );
        // SAFETY: `start` is less than `first_len`: still inside the bytes of W1.
        let ptr = unsafe { self.ptr.add(start) };
        Self {
            ptr,
            first_len: end - start,
            rest_len: 0,
            owner: self.first_owner().cloned(),
        }
    }

    /// Consumes `count` bytes of the first slice, which has more than that.
    #[inline]
    pub(crate) fn bump(&mut self, count: usize) {
        assert!(count < self.first_len, "W3: something is left");
        // SAFETY: `count` is less than `first_len`: still inside the bytes of W1.
        self.ptr = unsafe { self.ptr.add(count) };
        self.first_len -= count;
    }

    /// Sets the fields anew from the front of our own list, of which `skip` bytes
    /// of the first span are consumed. `skip + len` bytes were left in the list.
    fn reload(&mut self, with_skip: usize, skip: usize) {
        debug_assert!(self.rest_len > 0, "W2: still a list");
        let Some(owner) = self.owner.as_mut() else {
            return;
        };
        // SAFETY: W2 held when the caller began to change the list, and the owner
        // has not been replaced since.
        let Some(list) = (unsafe { shared_list::get_mut(owner) }) else {
            return;
        };
        debug_assert_eq!(list.len(), with_skip);
        list.give_back_capacity();
        if list.count() > 1 {
            if let Some(first) = list.front() {
                self.ptr = first.as_ptr();
                self.first_len = first.len();
                self.rest_len = with_skip - first.len();
            }
        } else {
            let only = list.pop_front();
            *self = only.map_or_else(Self::new, Self::from_span);
        }
        if skip > 0 {
            self.bump(skip);
        }
    }
}

/// One atomic addition, whatever the number of spans; none if the view is empty or
/// of static bytes.
impl Clone for BytesView {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            ptr: self.ptr,
            first_len: self.first_len,
            rest_len: self.rest_len,
            owner: self.owner.clone(),
        }
    }
}

impl Default for BytesView {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}
