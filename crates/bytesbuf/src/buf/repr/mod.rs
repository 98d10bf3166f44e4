//! What a buffer is made of, and the only code that moves its borders: this folder.
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
//! * **B5** What is in `held` is dropped or moved out at most once: by `drop`, or by who
//!   forgets the buffer, as the last thing done with it.
//! * **B6** `frozen_len` is the length of the frozen view, which is empty if there is
//!   nothing elsewhere.
#![expect(unsafe_code, reason = "raw borders of the block that is being filled")]

mod blocks;
mod elsewhere;
mod fill;
mod frozen;
mod take;

use alloc::collections::VecDeque;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;

use bytesbuf_core::{Block, BlockMeta, BlockRefBatch};

use self::elsewhere::Elsewhere;
pub(crate) use self::fill::Unfilled;
use crate::MemoryGuard;
use crate::error::panics;
use crate::open_block::OpenBlock;

/// Builds a sequence of bytes, append-only, in memory of any provider.
///
/// Capacity comes from a [memory provider](crate::mem::Memory) in blocks of any
/// size; a value may straddle blocks. What has been written is taken off the
/// front as [views](crate::BytesView), without copying. The buffer never grows by itself:
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
    held: ManuallyDrop<Held>,
}

/// A buffer on its way out of a slow path, see [`GlobalPool`](crate::mem::GlobalPool).
/// The fast path beside it makes the fields of its result in registers; were both results
/// buffers, they would be one place in memory, and each move out of it would wait for the
/// words that were just written to it.
#[cfg(feature = "std")]
pub(crate) struct Fields {
    borders: Borders,
    held: ManuallyDrop<Held>,
}

/// What a buffer keeps: in most cases its current block, and nothing else.
#[derive(Default)]
struct Held {
    current: Option<BlockRefBatch>,
    elsewhere: Elsewhere,
    frozen_len: usize,
}

/// Borders of the current block (B1).
struct Borders {
    start: NonNull<u8>,
    cur: NonNull<u8>,
    end: NonNull<u8>,
}

impl Borders {
    /// Those of a block without data.
    #[inline]
    fn of(block: &OpenBlock) -> Self {
        let start = block.ptr.cast::<u8>();
        // SAFETY: the block is `len` bytes long (O1): one past its end at most.
        let end = unsafe { start.add(block.len) };
        Self {
            start,
            cur: start,
            end,
        }
    }
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

const _: () = assert!(size_of::<BytesBuf>() <= 64);

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
            // While the block is no result yet: an iterator that panics here does not leak
            // it.
            drop(blocks);
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
        let block = OpenBlock::new(block);
        // All fields at once, so that each is written once.
        Self {
            borders: Borders::of(&block),
            held: ManuallyDrop::new(Held {
                current: Some(block.owner),
                elsewhere: Elsewhere::NONE,
                frozen_len: 0,
            }),
        }
    }

    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn into_fields(self) -> Fields {
        let this = ManuallyDrop::new(self);
        // SAFETY: B5: moved out as the last thing that is done with the buffer.
        let borders = unsafe { core::ptr::read(&raw const this.borders) };
        // SAFETY: B5: as above.
        let held = unsafe { core::ptr::read(&raw const this.held) };
        Fields { borders, held }
    }

    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn from_fields(fields: Fields) -> Self {
        let Fields { borders, held } = fields;
        Self { borders, held }
    }

    /// Bytes written and not yet consumed. O(1).
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.frozen_len() + self.filled_len()
    }

    /// Whether there is nothing to consume. Says nothing about capacity. O(1).
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.frozen_len() == 0 && self.borders.start == self.borders.cur
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
        self.first_unfilled_len() + self.later_len()
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
        self.held.current.as_ref()?.meta()
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

    /// The destructor of all that the buffer keeps.
    #[cold]
    #[inline(never)]
    fn drop_held(&mut self) {
        self.report_written();
        // SAFETY: B5: called by `drop`, as the last thing that it does.
        unsafe { ManuallyDrop::drop(&mut self.held) };
    }

    /// Takes a buffer without data apart: its unfilled capacity, block by block in the
    /// order in which it would be filled. Stops at an error; what is left is dropped.
    #[cfg(feature = "std")]
    pub(crate) fn into_open_blocks<E>(
        mut self,
        mut sink: impl FnMut(OpenBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        assert!(self.is_empty(), "no data in it");
        let (ptr, len) = (self.borders.cur.cast(), self.first_unfilled_len());
        self.report_written();
        self.borders = Borders::default();
        if let Some(owner) = self.held.current.take().filter(|_| len > 0) {
            sink(OpenBlock { ptr, len, owner })?;
        }
        self.take_later().into_iter().try_for_each(sink)
    }

    /// Tells the provider of the current block, if it wants to know, how far that has
    /// been written. Before the buffer lets go of the block.
    #[inline]
    fn report_written(&self) {
        if let Some(current) = &self.held.current {
            report_written(current, self.borders.cur);
        }
    }

    /// The references to the block that is being filled.
    pub(crate) fn current_owner(&self) -> Option<&BlockRefBatch> {
        self.held.current.as_ref()
    }

    /// Keeps all memory of the buffer in use, filled or not, whatever becomes of the
    /// buffer: one reference per block, one for all that is frozen.
    pub fn extend_lifetime(&self) -> MemoryGuard {
        let current = self.held.current.iter();
        let blocks = current.chain(self.later().into_iter().flatten().map(|block| &block.owner));
        MemoryGuard::of_buffer(self.frozen().clone(), blocks.cloned().collect())
    }
}

/// Tells the provider of a block, if it wants to know, that it has been written up to
/// `cur`.
#[inline]
fn report_written(block: &BlockRefBatch, cur: NonNull<u8>) {
    if block.watches_writes() {
        block.report_written(cur.addr().get());
    }
}

impl Drop for BytesBuf {
    /// Without a stack frame or a cleanup path where the current block is all that there
    /// is to let go of.
    #[inline]
    fn drop(&mut self) {
        if !self.held.elsewhere.is_none() {
            return self.drop_held();
        }
        if let Some(current) = &self.held.current {
            report_written(current, self.borders.cur);
            // SAFETY: B5: moved out once, as the last thing that is done with `held`,
            // which has nothing else to drop.
            drop(unsafe { core::ptr::read(current) });
        }
    }
}
