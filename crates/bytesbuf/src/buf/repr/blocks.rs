//! Which block is being filled, and which ones come later.
#![expect(unsafe_code, reason = "cuts the unfilled part of a block in two")]

use alloc::collections::VecDeque;
use alloc::collections::vec_deque;
use core::mem;

use bytesbuf_core::{Block, ReserveError};

use super::{Borders, BytesBuf};
use crate::error::panics;
use crate::open_block::OpenBlock;

impl BytesBuf {
    /// Makes sure that `blocks` more blocks can be added without an allocation.
    ///
    /// # Errors
    /// If the allocator refuses the memory for that; nothing has changed then.
    pub(crate) fn try_places(&mut self, blocks: usize) -> Result<(), ReserveError> {
        // One becomes the current block, if there is no capacity yet.
        let later = blocks - usize::from(blocks > 0 && self.first_unfilled_len() == 0);
        if later == 0 {
            return Ok(());
        }
        let ring = &mut self.held.elsewhere.try_make()?.later;
        let reserved = if ring.is_empty() {
            ring.try_reserve_exact(later)
        } else {
            ring.try_reserve(later)
        };
        reserved.map_err(|_| ReserveError::OutOfMemory {
            requested: later.saturating_mul(size_of::<OpenBlock>()),
        })
    }

    /// Makes sure that what is filled can be frozen without an allocation of a place for
    /// it.
    ///
    /// # Errors
    /// If the allocator refuses the memory for that; nothing has changed then.
    pub(crate) fn try_place_for_frozen(&mut self) -> Result<(), ReserveError> {
        self.held.elsewhere.try_make().map(|_| ())
    }

    /// Adds capacity behind what there is. O(1) amortised.
    pub(crate) fn push_block_back(&mut self, block: Block) {
        let more = block.len().get() as usize;
        if self.capacity().checked_add(more).is_none() {
            panics::capacity_overflow(self.capacity(), more);
        }
        self.push_open_block(OpenBlock::new(block));
    }

    /// [`push_block_back`](Self::push_block_back) to a buffer without data that has been given
    /// nothing but blocks of one request, which is at most `isize::MAX` bytes and perhaps
    /// rounded up by less than a block: so B4 holds.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn push_to_fresh(&mut self, block: Block) {
        debug_assert!(self.is_empty() && self.capacity() <= isize::MAX as usize);
        let block = OpenBlock::new(block);
        let held = &mut *self.held;
        match held.elsewhere.get_mut() {
            Some(parts) if held.current.is_some() => {
                parts.later_len += block.len;
                parts.later.push_back(block);
            }
            _ => self.push_open_block(block),
        }
    }

    /// Adds capacity behind what there is. The caller has checked B4.
    pub(crate) fn push_open_block(&mut self, block: OpenBlock) {
        if self.first_unfilled_len() == 0 {
            // B3: there are no later blocks either.
            self.freeze_filled();
            self.open(block);
        } else {
            let parts = self.held.elsewhere.make();
            parts.later_len += block.len;
            parts.later.push_back(block);
        }
    }

    /// Makes `block` the current one. The one before, if any, has been frozen.
    #[inline]
    pub(super) fn open(&mut self, block: OpenBlock) {
        debug_assert!(
            self.filled_len() == 0,
            "filled bytes are frozen before the next block"
        );
        self.borders = Borders::of(&block);
        self.held.current = Some(block.owner);
    }

    /// Restores B3 after the current block was filled up.
    #[cold]
    pub(crate) fn next_block(&mut self) {
        let Some(parts) = self.held.elsewhere.get_mut() else {
            return;
        };
        let Some(next) = parts.later.pop_front() else {
            return;
        };
        parts.later_len -= next.len;
        self.freeze_filled();
        self.open(next);
    }

    /// Lets go of the current block, of which nothing is left in the buffer.
    pub(super) fn close_current(&mut self) {
        debug_assert!(self.filled_len() == 0 && self.first_unfilled_len() == 0);
        self.report_written();
        self.borders = Borders::default();
        self.held.current = None;
    }

    /// Sum of the lengths of the untouched blocks (B4).
    #[inline]
    pub(super) fn later_len(&self) -> usize {
        self.held.elsewhere.get().map_or(0, |parts| parts.later_len)
    }

    /// The untouched blocks, in the order in which they will be filled.
    pub(crate) fn later(&self) -> Option<vec_deque::Iter<'_, OpenBlock>> {
        self.held.elsewhere.later()
    }

    /// Takes all untouched blocks.
    pub(super) fn take_later(&mut self) -> VecDeque<OpenBlock> {
        self.held
            .elsewhere
            .get_mut()
            .map_or_else(VecDeque::new, |parts| {
                parts.later_len = 0;
                mem::take(&mut parts.later)
            })
    }

    /// Takes the last untouched block off, if it is no longer than `limit` bytes.
    pub(crate) fn pop_later(&mut self, limit: usize) -> Option<OpenBlock> {
        let parts = self.held.elsewhere.get_mut()?;
        if parts.later.back()?.len > limit {
            return None;
        }
        let block = parts.later.pop_back()?;
        parts.later_len -= block.len;
        Some(block)
    }

    /// Takes the last `count` bytes of the last block's unfilled part off, more than
    /// none and less than that block's whole capacity if it is an untouched one.
    pub(crate) fn split_tail(&mut self, count: usize) -> OpenBlock {
        let later = self.held.elsewhere.get_mut();
        let last = later.and_then(|parts| Some((parts.later.back_mut()?, &mut parts.later_len)));
        if let Some((last, later_len)) = last {
            assert!(count > 0 && count < last.len, "part of the last block");
            let owner = last.owner.split();
            last.len -= count;
            *later_len -= count;
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
        let Some(current) = self.held.current.as_mut() else {
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

    /// Whether the buffer is one block with at least `bytes` bytes of capacity, and
    /// nothing else.
    #[inline]
    pub(crate) fn is_one_block_of(&self, bytes: usize) -> bool {
        self.held.elsewhere.is_none()
            && self.filled_len() == 0
            && self.first_unfilled_len() >= bytes
    }

    /// Whether the buffer has no block, and nothing has been anywhere else.
    #[inline]
    pub(crate) fn is_vacant(&self) -> bool {
        self.held.current.is_none() && self.held.elsewhere.is_none()
    }

    /// Takes over what `fresh` has, which is a block and nothing else.
    #[inline]
    pub(crate) fn fill_with_block_of(&mut self, fresh: Self) {
        debug_assert!(self.is_vacant() && fresh.held.elsewhere.is_none());
        // A vacant buffer has nothing to drop.
        mem::forget(mem::replace(self, fresh));
    }

    /// Takes all capacity of `fresh`, which holds no data. The caller has checked B4.
    #[inline]
    pub(crate) fn absorb(&mut self, fresh: &mut Self) {
        debug_assert!(fresh.is_empty());
        if self.first_unfilled_len() > 0 {
            return self.absorb_behind(fresh);
        }
        // B3: there are no later blocks either.
        if self.held.current.is_some() {
            self.freeze_filled();
        }
        if fresh.later_len() > 0 {
            self.adopt_later(fresh);
        }
        if let Some(owner) = fresh.held.current.take() {
            self.borders = mem::take(&mut fresh.borders);
            self.held.current = Some(owner);
        }
    }

    /// Takes the later blocks of `fresh`; there are none here.
    #[cold]
    fn adopt_later(&mut self, fresh: &mut Self) {
        debug_assert!(self.later_len() == 0, "B3");
        if self.held.elsewhere.is_none() {
            // `fresh` holds no data: nothing but the blocks is elsewhere.
            mem::swap(&mut self.held.elsewhere, &mut fresh.held.elsewhere);
        } else if let (Some(ours), Some(theirs)) = (
            self.held.elsewhere.get_mut(),
            fresh.held.elsewhere.get_mut(),
        ) {
            mem::swap(&mut ours.later, &mut theirs.later);
            ours.later_len = mem::take(&mut theirs.later_len);
        }
    }

    /// `absorb` where there is capacity already.
    #[cold]
    fn absorb_behind(&mut self, fresh: &mut Self) {
        fresh.report_written();
        let len = fresh.first_unfilled_len();
        let ptr = mem::take(&mut fresh.borders).cur.cast();
        if len > 0 {
            if let Some(owner) = fresh.held.current.take() {
                self.push_open_block(OpenBlock { ptr, len, owner });
            }
        }
        for block in fresh.take_later() {
            self.push_open_block(block);
        }
    }
}
