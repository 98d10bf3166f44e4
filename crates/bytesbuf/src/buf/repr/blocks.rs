//! Which block is being filled, and which ones come later.
#![expect(unsafe_code, reason = "cuts the unfilled part of a block in two")]

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::collections::vec_deque;
use alloc::vec::Vec;
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
        let refused = |_| ReserveError::OutOfMemory {
            requested: later.saturating_mul(size_of::<OpenBlock>()),
        };
        if let Some(ring) = &mut self.held.later {
            return ring.try_reserve(later).map_err(refused);
        }
        let mut ring = VecDeque::new();
        ring.try_reserve_exact(later).map_err(refused)?;
        // A box that may be refused: std has none, but for a vector of one.
        let mut place = Vec::new();
        place.try_reserve_exact(1).map_err(refused)?;
        place.push(ring);
        let place: *mut [VecDeque<OpenBlock>] = Box::into_raw(place.into_boxed_slice());
        // SAFETY: a box of a slice of one element is laid out as one of the element,
        // and its pointer points at it.
        self.held.later = Some(unsafe { Box::from_raw(place.cast()) });
        Ok(())
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
            self.held.later_len += block.len;
            self.held.later.get_or_insert_default().push_back(block);
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
        let Some(next) = self.held.later.as_mut().and_then(|later| later.pop_front()) else {
            return;
        };
        self.held.later_len -= next.len;
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

    /// The untouched blocks, in the order in which they will be filled.
    pub(crate) fn later(&self) -> Option<vec_deque::Iter<'_, OpenBlock>> {
        self.held.later.as_ref().map(|later| later.iter())
    }

    /// Takes the last untouched block off, if it is no longer than `limit` bytes.
    pub(crate) fn pop_later(&mut self, limit: usize) -> Option<OpenBlock> {
        let later = self.held.later.as_mut()?;
        if later.back()?.len > limit {
            return None;
        }
        let block = later.pop_back()?;
        self.held.later_len -= block.len;
        Some(block)
    }

    /// Takes the last `count` bytes of the last block's unfilled part off, more than
    /// none and less than that block's whole capacity if it is an untouched one.
    pub(crate) fn split_tail(&mut self, count: usize) -> OpenBlock {
        let held = &mut *self.held;
        if let Some(last) = held.later.as_mut().and_then(|later| later.back_mut()) {
            assert!(count > 0 && count < last.len, "part of the last block");
            let owner = last.owner.split();
            last.len -= count;
            held.later_len -= count;
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
        if fresh.held.later.is_some() {
            mem::swap(&mut self.held.later, &mut fresh.held.later);
            self.held.later_len = mem::take(&mut fresh.held.later_len);
        }
        if let Some(owner) = fresh.held.current.take() {
            self.borders = mem::take(&mut fresh.borders);
            self.held.current = Some(owner);
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
        for block in fresh.held.later.take().into_iter().flat_map(|later| *later) {
            self.push_open_block(block);
        }
    }
}
