//! Lends slots and takes them back.
#![expect(unsafe_code, reason = "lends slots whose numbers it has taken")]

use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytesbuf_core::{Block, BlockProvider, BlockSize, ReserveError};

use crate::region::Region;
use crate::slot::{Slot, lend};

/// One allocation, cut into equal slots that are lent as blocks.
///
/// A handle: clones are the same arena. Slots may outlive all handles; the
/// allocation is freed with the last of both. Lending and giving back lock a
/// mutex each for a few instructions; no user code runs under it.
///
/// # Examples
/// ```
/// use std::num::NonZero;
///
/// use bytesbuf_arena::Arena;
/// use bytesbuf_core::{BlockProvider, ReserveError};
///
/// let arena = Arena::new(0, NonZero::new(4).unwrap(), NonZero::new(1000).unwrap())?;
/// let mut blocks = Vec::new();
/// arena.provide(2500, &mut |block| blocks.push(block))?;
/// assert_eq!((blocks.len(), arena.slots_free()), (3, 1));
///
/// let error = arena.provide(1001, &mut |_| ()).unwrap_err();
/// assert!(matches!(error, ReserveError::OverBudget { requested: 2000, in_use: 3000, limit: 4000 }));
///
/// drop(blocks);
/// assert_eq!(arena.slots_free(), arena.slots());
/// # Ok::<(), ReserveError>(())
/// ```
#[derive(Clone)]
pub struct Arena {
    shared: Arc<Shared>,
}

/// What handles and lent slots share.
#[derive(Debug)]
pub(crate) struct Shared {
    region: Region,
    /// One for each slot of the region, at the same index.
    states: Box<[Slot]>,
    /// Numbers of the idle slots, the next one to lend last. Has room for all.
    free: Mutex<Vec<u32>>,
}

impl Arena {
    /// An arena of `slots` slots of `slot_len` bytes each, all idle.
    ///
    /// `id` is for the metadata: the number under which the memory is known to
    /// whoever it is registered with. Allocates the memory, page aligned and
    /// uninitialised, and about 44 bytes a slot besides.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] if no allocation can have that size,
    /// [`ReserveError::OutOfMemory`] if the allocator refuses.
    pub fn new(
        id: u32,
        slots: NonZero<u32>,
        slot_len: NonZero<BlockSize>,
    ) -> Result<Self, ReserveError> {
        let region = Region::new(slots, slot_len)?;
        let states = (0..slots.get())
            .map(|slot| Slot::new(id, slot, slot_len))
            .collect();
        let free = (0..slots.get()).rev().collect();
        let shared = Shared {
            region,
            states,
            free: Mutex::new(free),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.shared.states.len()
    }

    /// How many of them are not lent at the moment.
    #[must_use]
    pub fn slots_free(&self) -> usize {
        self.shared.free().len()
    }

    /// Size of a slot in bytes.
    #[must_use]
    pub fn slot_len(&self) -> NonZero<BlockSize> {
        self.shared.region.slot_len()
    }
}

impl BlockProvider for Arena {
    /// As many slots as the request needs, or none. The lowest numbers come
    /// first in a fresh arena, the slots that came back last in a used one.
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        let numbers = self.shared.take(min_bytes)?;
        // All of them are blocks before the first is handed over. Whatever
        // happens in `sink`, those that it does not get go home by themselves.
        let blocks: Vec<Block> = numbers
            .into_iter()
            // SAFETY: the numbers have just been taken out of the free list.
            .map(|index| unsafe { lend(&self.shared, index) })
            .collect();
        blocks.into_iter().for_each(sink);
        Ok(())
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("slots", &self.slots())
            .field("slots_free", &self.slots_free())
            .field("slot_len", &self.slot_len())
            .finish()
    }
}

impl Shared {
    pub(crate) const fn region(&self) -> &Region {
        &self.region
    }

    pub(crate) fn state(&self, index: u32) -> &Slot {
        &self.states[index as usize]
    }

    /// Slots for `min_bytes` bytes, out of the free list: all of them, or none.
    fn take(&self, min_bytes: usize) -> Result<Vec<u32>, ReserveError> {
        let slot_len = self.region.slot_len().get() as usize;
        let limit = self.region.size();
        if min_bytes > limit {
            return Err(ReserveError::TooLarge {
                requested: min_bytes,
                max: limit,
            });
        }
        let needed = min_bytes.div_ceil(slot_len);
        let mut free = self.free();
        let Some(keep) = free.len().checked_sub(needed) else {
            return Err(ReserveError::OverBudget {
                requested: needed * slot_len,
                in_use: limit - free.len() * slot_len,
                limit,
            });
        };
        Ok(free.drain(keep..).rev().collect())
    }

    /// The slot `index`, no longer lent, into the free list. Cannot panic: the
    /// list has room for all numbers, and each is in it at most once.
    pub(crate) fn take_back(&self, index: u32) {
        self.free().push(index);
    }

    /// A panic under this lock is not possible, so poison would mean nothing.
    fn free(&self) -> MutexGuard<'_, Vec<u32>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_impl_all;

    use super::*;

    assert_impl_all!(Arena: Send, Sync, Clone);

    fn arena(slots: u32, slot_len: u32) -> Arena {
        Arena::new(
            1,
            NonZero::new(slots).unwrap(),
            NonZero::new(slot_len).unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn nothing_is_lent_for_nothing() {
        let arena = arena(1, 8);
        arena
            .provide(0, &mut |_| panic!("no block was asked for"))
            .unwrap();
        assert_eq!(arena.slots_free(), 1);
    }

    #[test]
    fn the_last_block_frees_the_arena() {
        let arena = arena(2, 8);
        let weak = Arc::downgrade(&arena.shared);
        let mut blocks = Vec::new();
        arena.provide(16, &mut |block| blocks.push(block)).unwrap();
        drop(arena);
        assert_eq!(weak.strong_count(), 2);
        blocks.pop();
        assert_eq!(weak.strong_count(), 1);
        blocks.pop();
        assert_eq!(weak.strong_count(), 0);
    }

    #[test]
    fn a_panicking_receiver_loses_nothing() {
        let arena = arena(4, 8);
        let mut received = 0;
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            arena.provide(32, &mut |_block| {
                received += 1;
                assert!(received < 2, "enough");
            })
        }));
        assert!(outcome.is_err());
        assert_eq!(arena.slots_free(), 4);
    }

    #[test]
    fn a_receiver_may_use_the_arena() {
        let arena = arena(4, 8);
        let mut inner = Vec::new();
        arena
            .provide(8, &mut |block| {
                arena.provide(8, &mut |block| inner.push(block)).unwrap();
                drop(block);
            })
            .unwrap();
        assert_eq!(arena.slots_free(), 3);
    }

    #[test]
    fn the_numbers_in_a_refusal_are_those_of_the_moment() {
        let arena = arena(4, 8);
        let mut held = Vec::new();
        arena.provide(17, &mut |block| held.push(block)).unwrap();
        let error = arena.provide(9, &mut |_| ()).unwrap_err();
        assert!(matches!(
            error,
            ReserveError::OverBudget {
                requested: 16,
                in_use: 24,
                limit: 32
            }
        ));
        let error = arena.provide(33, &mut |_| ()).unwrap_err();
        assert!(matches!(
            error,
            ReserveError::TooLarge {
                requested: 33,
                max: 32
            }
        ));
        drop(held);
        arena.provide(32, &mut |_| ()).unwrap();
    }
}
