//! What a buffer is made of, and the only code that moves its borders.
//!
//! ```text
//!   frozen              current block                    later blocks
//!   [ spans ... ]       [ filled |  unfilled  ]          [ unfilled ] [ unfilled ] ...
//!                       ▲        ▲            ▲
//!                       start    cur          end
//! ```
//!
//! Writing is a comparison with `end`, a copy to `cur` and an addition. Data
//! leaves at the front: frozen spans first, then from `start`.
//!
//! # Invariants
//! * **B1** `start <= cur <= end`, all in the memory of `current`; without a
//!   current block the three are equal and dangling.
//! * **B2** `start..cur` is initialised and not written again (`peek` may share it);
//!   `cur..end` is the buffer's to write, and nobody else reads or writes it. What has
//!   been consumed is before `start`.
//! * **B3** With `cur == end` there are no later blocks: an exhausted block gives
//!   way to the next at once, so that there is an unfilled slice whenever there is
//!   capacity.
//! * **B4** `later_len` is the sum of the lengths of the later blocks, and
//!   [`capacity`](BytesBuf::capacity) does not exceed `usize::MAX`.
#![expect(unsafe_code, reason = "raw borders of the block that is being filled")]

use alloc::boxed::Box;
use alloc::collections::{VecDeque, vec_deque};
use core::mem::{self, MaybeUninit};
use core::ptr::NonNull;

use bytesbuf_core::{Block, BlockMeta, BlockRefBatch};

use crate::error::panics;
use crate::open_block::OpenBlock;
use crate::span::Span;
use crate::{BytesView, MemoryGuard};

/// Builds a sequence of bytes, append-only, in memory of any provider.
///
/// Capacity comes from a [memory provider](crate::mem::Memory) in blocks of any
/// size; a value may straddle blocks. What has been written is taken off the
/// front as [`BytesView`]s, without copying. The buffer never grows by itself:
/// reserve first.
///
/// `len` counts bytes written and not yet consumed, `remaining_capacity` bytes
/// that can still be written, `capacity` is the sum of both.
///
/// # Examples
/// ```
/// use bytesbuf::BytesBuf;
/// use bytesbuf::mem::GlobalPool;
///
/// let memory = GlobalPool::new();
/// let mut buf = memory.reserve(64);
///
/// buf.put_u16_be(5);
/// buf.put_slice(*b"hello");
/// let message = buf.consume_all();
/// assert_eq!(message, b"\x00\x05hello");
///
/// buf.put_slice(*b"the rest of the block is still there");
/// assert_eq!(buf.len(), 36);
/// ```
#[derive(Default)]
pub struct BytesBuf {
    borders: Borders,
    current: Option<BlockRefBatch>,
    frozen: BytesView,
    #[expect(
        clippy::box_collection,
        reason = "one word instead of four in every buffer"
    )]
    later: Option<Box<VecDeque<OpenBlock>>>,
    later_len: usize,
}

/// Borders of the current block (B1).
struct Borders {
    start: NonNull<u8>,
    cur: NonNull<u8>,
    end: NonNull<u8>,
}

impl Default for Borders {
    #[inline]
    fn default() -> Self {
        Self {
            start: NonNull::dangling(),
            cur: NonNull::dangling(),
            end: NonNull::dangling(),
        }
    }
}

// SAFETY: exclusively owned memory (B2), immutable spans, and references that may
// be used on any thread.
unsafe impl Send for BytesBuf {}
// SAFETY: through a shared buffer, only immutable bytes can be reached: `peek`
// shares `start..cur`, which is not written again (B2).
unsafe impl Sync for BytesBuf {}

const _: () = assert!(size_of::<BytesBuf>() <= 112);

impl BytesBuf {
    /// A buffer without capacity. No allocation.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// A buffer over blocks that a provider lends. The **last** block supplied is
    /// filled first.
    ///
    /// # Panics
    /// If the total capacity would exceed `usize::MAX`.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesBuf;
    ///
    /// assert_eq!(BytesBuf::from_blocks([]).capacity(), 0);
    /// ```
    #[must_use]
    pub fn from_blocks<I: IntoIterator<Item = Block>>(blocks: I) -> Self {
        let mut blocks = blocks.into_iter();
        let Some(first) = blocks.next() else {
            return Self::new();
        };
        let Some(second) = blocks.next() else {
            return Self::from_block(first);
        };
        let mut all = VecDeque::with_capacity(blocks.size_hint().0.saturating_add(2).min(1 << 16));
        all.push_front(first);
        all.push_front(second);
        for block in blocks {
            all.push_front(block);
        }
        let mut buf = Self::new();
        for block in all {
            buf.push_block_back(block);
        }
        buf
    }

    /// A buffer over one block. No allocation, no atomic operation.
    #[must_use]
    #[inline]
    pub(crate) fn from_block(block: Block) -> Self {
        let mut buf = Self::new();
        buf.open(OpenBlock::new(block));
        buf
    }

    /// Adds capacity behind what there is. O(1) amortised.
    pub(crate) fn push_block_back(&mut self, block: Block) {
        let more = block.len().get() as usize;
        if self.capacity().checked_add(more).is_none() {
            panics::capacity_overflow(self.capacity(), more);
        }
        self.push_open_block(OpenBlock::new(block));
    }

    /// Adds capacity behind what there is. The caller has checked B4.
    pub(crate) fn push_open_block(&mut self, block: OpenBlock) {
        if self.first_unfilled_len() == 0 {
            // B3: there are no later blocks either.
            self.freeze_filled();
            self.open(block);
        } else {
            self.later_len += block.len;
            self.later.get_or_insert_default().push_back(block);
        }
    }

    /// Makes `block` the current one. The one before, if any, has been frozen.
    #[inline]
    fn open(&mut self, block: OpenBlock) {
        debug_assert!(
            self.filled_len() == 0,
            "filled bytes are frozen before the next block"
        );
        let start = block.ptr.cast::<u8>();
        // SAFETY: the block is `len` bytes long (O1): one past its end at most.
        let end = unsafe { start.add(block.len) };
        self.borders = Borders {
            start,
            cur: start,
            end,
        };
        self.current = Some(block.owner);
    }

    /// Bytes written and not yet consumed. O(1).
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.frozen.len() + self.filled_len()
    }

    /// Whether there is nothing to consume. Says nothing about capacity. O(1).
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.frozen.is_empty() && self.borders.start == self.borders.cur
    }

    /// `len() + remaining_capacity()`. O(1).
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        // B4: cannot overflow.
        self.len() + self.remaining_capacity()
    }

    /// Bytes that can be written before more has to be reserved. O(1).
    #[must_use]
    #[inline]
    pub fn remaining_capacity(&self) -> usize {
        self.first_unfilled_len() + self.later_len
    }

    /// Length of `start..cur`.
    #[inline]
    pub(crate) fn filled_len(&self) -> usize {
        // Addresses, not pointers: B1 says that they are ordered.
        self.borders.cur.as_ptr() as usize - self.borders.start.as_ptr() as usize
    }

    /// Length of `cur..end`.
    #[inline]
    pub(crate) fn first_unfilled_len(&self) -> usize {
        // Addresses, not pointers: B1 says that they are ordered.
        self.borders.end.as_ptr() as usize - self.borders.cur.as_ptr() as usize
    }

    /// The unfilled part of the block that is being filled; empty only if there is
    /// no capacity at all. Write to its front, then [`advance`](Self::advance).
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(100);
    /// buf.first_unfilled_slice()[0].write(b'x');
    /// // SAFETY: the first byte is initialised.
    /// unsafe { buf.advance(1) };
    /// assert_eq!(buf.consume_all(), b"x");
    /// ```
    #[must_use]
    #[inline]
    pub fn first_unfilled_slice(&mut self) -> &mut [MaybeUninit<u8>] {
        let (ptr, len) = (self.borders.cur.cast(), self.first_unfilled_len());
        // SAFETY: B2: `cur..end` is the buffer's alone, which is borrowed
        // exclusively; without a block, the pointer dangles and the length is 0.
        unsafe { core::slice::from_raw_parts_mut(ptr.as_ptr(), len) }
    }

    /// Metadata of the block that is being filled; `None` without capacity or
    /// metadata.
    #[must_use]
    pub fn first_unfilled_slice_meta(&self) -> Option<&dyn BlockMeta> {
        if self.first_unfilled_len() == 0 {
            return None;
        }
        self.current.as_ref()?.meta()
    }

    /// Declares `count` bytes at the front of
    /// [`first_unfilled_slice`](Self::first_unfilled_slice) to be data.
    ///
    /// # Panics
    /// If `count` is more than the length of that slice; nothing changes then.
    ///
    /// # Safety
    /// These bytes are initialised.
    #[inline]
    #[track_caller]
    pub unsafe fn advance(&mut self, count: usize) {
        let available = self.first_unfilled_len();
        if count > available {
            panics::advance_past_slice(count, available);
        }
        // SAFETY: `count` is at most the distance to `end` (B1).
        self.borders.cur = unsafe { self.borders.cur.add(count) };
        if count == available {
            self.next_block();
        }
    }

    /// Restores B3 after the current block was filled up.
    #[cold]
    pub(crate) fn next_block(&mut self) {
        let Some(next) = self.later.as_mut().and_then(|later| later.pop_front()) else {
            return;
        };
        self.later_len -= next.len;
        self.freeze_filled();
        self.open(next);
    }

    /// Copies `bytes` to the front of the unfilled slice, which has room for them.
    #[inline]
    pub(crate) fn put_within_block(&mut self, bytes: &[u8]) {
        let available = self.first_unfilled_len();
        assert!(bytes.len() <= available, "room in the current block");
        let (from, to) = (bytes.as_ptr(), self.borders.cur.as_ptr());
        // SAFETY: `to` has room for `available` bytes, writable and not shared (B2), so
        // they do not overlap `bytes`.
        unsafe { core::ptr::copy_nonoverlapping(from, to, bytes.len()) };
        // SAFETY: the bytes have just been initialised.
        unsafe { self.advance(bytes.len()) };
    }

    /// Fills the front of the unfilled slice, which has room for `count` bytes.
    #[inline]
    pub(crate) fn fill_within_block(&mut self, value: u8, count: usize) {
        let available = self.first_unfilled_len();
        assert!(count <= available, "room in the current block");
        // SAFETY: `cur` has room for `available` bytes, writable and not shared (B2).
        unsafe { self.borders.cur.as_ptr().write_bytes(value, count) };
        // SAFETY: the bytes have just been initialised.
        unsafe { self.advance(count) };
    }

    /// Shares the filled part of the current block, as the last frozen span.
    pub(crate) fn freeze_filled(&mut self) {
        let filled = self.filled_len();
        if filled > 0 {
            let view = self.take_filled(filled);
            self.frozen.append(view);
        } else if self.first_unfilled_len() == 0 {
            // Nothing of the block is left in here.
            self.close_current();
        }
    }

    /// The first `count` bytes of the filled part as a view. `0 < count <= filled`.
    /// No atomic operation while the references at hand suffice; a block of which
    /// nothing is left in the buffer is handed over whole.
    #[inline]
    pub(crate) fn take_filled(&mut self, count: usize) -> BytesView {
        assert!(
            count > 0 && count <= self.filled_len(),
            "within the filled part"
        );
        let start = self.borders.start;
        // SAFETY: `count` is at most the distance to `cur` (B1).
        let rest = unsafe { start.add(count) };
        let owner = if rest == self.borders.end {
            self.borders = Borders::default();
            self.current.take()
        } else {
            let owner = self.current.as_mut().map(BlockRefBatch::split);
            self.borders.start = rest;
            owner
        };
        // SAFETY: the bytes are initialised (B2), and before `start` from now on, so
        // never written again (S1); not empty (S2).
        BytesView::from_span(unsafe { Span::new(start, count, owner) })
    }

    /// Lets go of the current block, of which nothing is left in the buffer.
    fn close_current(&mut self) {
        debug_assert!(self.filled_len() == 0 && self.first_unfilled_len() == 0);
        self.borders = Borders::default();
        self.current = None;
    }

    /// A view of the filled part, which stays in the buffer.
    pub(crate) fn peek_filled(&self) -> BytesView {
        let filled = self.filled_len();
        if filled == 0 {
            return BytesView::new();
        }
        let (start, owner) = (self.borders.start, self.current.clone());
        // SAFETY: the bytes are initialised and not written again (B2: only `cur..end`
        // is); not empty.
        BytesView::from_span(unsafe { Span::new(start, filled, owner) })
    }

    #[inline]
    pub(crate) fn frozen(&self) -> &BytesView {
        &self.frozen
    }

    #[inline]
    pub(crate) fn frozen_mut(&mut self) -> &mut BytesView {
        &mut self.frozen
    }

    /// The untouched blocks, in the order in which they will be filled.
    pub(crate) fn later(&self) -> Option<vec_deque::Iter<'_, OpenBlock>> {
        self.later.as_ref().map(|later| later.iter())
    }

    /// Takes the last untouched block off, if it is no longer than `limit` bytes.
    pub(crate) fn pop_later(&mut self, limit: usize) -> Option<OpenBlock> {
        let later = self.later.as_mut()?;
        if later.back()?.len > limit {
            return None;
        }
        let block = later.pop_back()?;
        self.later_len -= block.len;
        Some(block)
    }

    /// Takes the last `count` bytes of the last block's unfilled part off, more than
    /// none and less than that block's whole capacity if it is an untouched one.
    pub(crate) fn split_tail(&mut self, count: usize) -> OpenBlock {
        if let Some(last) = self.later.as_mut().and_then(|later| later.back_mut()) {
            assert!(count > 0 && count < last.len, "part of the last block");
            let owner = last.owner.split();
            last.len -= count;
            self.later_len -= count;
            // SAFETY: less than the old length: inside the block (O1). The two parts are
            // disjoint, so each is its holder's alone.
            let ptr = unsafe { last.ptr.add(last.len) };
            return OpenBlock {
                ptr,
                len: count,
                owner,
            };
        }
        let available = self.first_unfilled_len();
        assert!(count > 0 && count <= available, "part of the current block");
        let Some(current) = self.current.as_mut() else {
            panics::split_past_capacity(count, 0);
        };
        let owner = current.split();
        // SAFETY: `count` is at most the distance from `cur` (B1). What is behind the
        // new end belongs to the part split off.
        self.borders.end = unsafe { self.borders.end.sub(count) };
        let tail = OpenBlock {
            ptr: self.borders.end.cast(),
            len: count,
            owner,
        };
        if self.first_unfilled_len() == 0 && self.filled_len() == 0 {
            self.close_current();
        }
        tail
    }

    /// Takes all capacity of `fresh`, which holds no data. The caller has checked B4.
    pub(crate) fn absorb(&mut self, mut fresh: Self) {
        debug_assert!(fresh.is_empty());
        if let Some(owner) = fresh.current.take() {
            let len = fresh.first_unfilled_len();
            let ptr = mem::take(&mut fresh.borders).cur.cast();
            if len > 0 {
                self.push_open_block(OpenBlock { ptr, len, owner });
            }
        }
        if let Some(later) = fresh.later.take() {
            fresh.later_len = 0;
            for block in *later {
                self.push_open_block(block);
            }
        }
    }

    /// Takes a buffer without data apart: its unfilled capacity, block by block in the
    /// order in which it would be filled.
    pub(crate) fn into_open_blocks(mut self, mut sink: impl FnMut(OpenBlock)) {
        assert!(self.is_empty(), "no data in it");
        let (ptr, len) = (self.borders.cur.cast(), self.first_unfilled_len());
        self.borders = Borders::default();
        if let Some(owner) = self.current.take().filter(|_| len > 0) {
            sink(OpenBlock { ptr, len, owner });
        }
        if let Some(later) = self.later.take() {
            self.later_len = 0;
            later.into_iter().for_each(sink);
        }
    }

    /// The references to the block that is being filled.
    pub(crate) fn current_owner(&self) -> Option<&BlockRefBatch> {
        self.current.as_ref()
    }

    /// Keeps all memory of the buffer in use, filled or not, whatever becomes of the
    /// buffer: one reference per block, one for all that is frozen.
    pub fn extend_lifetime(&self) -> MemoryGuard {
        let current = self.current.iter();
        let blocks = current.chain(self.later().into_iter().flatten().map(|block| &block.owner));
        MemoryGuard::of_buffer(self.frozen.clone(), blocks.cloned().collect())
    }
}

/// A buffer that holds the bytes of a view, without copying them, and no further
/// capacity.
impl From<BytesView> for BytesBuf {
    fn from(view: BytesView) -> Self {
        Self {
            frozen: view,
            ..Self::default()
        }
    }
}
