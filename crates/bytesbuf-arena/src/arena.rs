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
/// mutex each for a few instructions; nothing is allocated and no user code runs under it.
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
    /// [`ReserveError::OutOfMemory`] if the allocator refuses the memory or what it takes
    /// besides (but for the last few bytes: those end the process, as with any `Arc`).
    pub fn new(
        id: u32,
        slots: NonZero<u32>,
        slot_len: NonZero<BlockSize>,
    ) -> Result<Self, ReserveError> {
        let region = Region::new(slots, slot_len)?;
        let mut states = room_for(slots.get() as usize)?;
        states.extend((0..slots.get()).map(|slot| Slot::new(id, slot, slot_len)));
        let mut free = room_for(slots.get() as usize)?;
        free.extend((0..slots.get()).rev());
        let shared = Shared {
            region,
            states: states.into_boxed_slice(),
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
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] if the whole arena is not enough,
    /// [`ReserveError::OverBudget`] if what is idle is not,
    /// [`ReserveError::OutOfMemory`] if the allocator refuses two short lists.
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        let needed = self.shared.slots_for(min_bytes)?;
        // Before the lock is taken: an allocator may come back.
        let mut numbers = room_for(needed)?;
        let mut blocks = room_for(needed)?;
        self.shared.take(needed, &mut numbers)?;
        // All of them are blocks before the first is handed over. Whatever
        // happens in `sink`, those that it does not get go home by themselves.
        blocks.extend(numbers.into_iter().map(|index| {
            // SAFETY: S3: the number has just been taken out of the free list.
            unsafe { lend(&self.shared, index) }
        }));
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

    /// How many slots `min_bytes` bytes need.
    fn slots_for(&self, min_bytes: usize) -> Result<usize, ReserveError> {
        let limit = self.region.size();
        if min_bytes > limit {
            return Err(ReserveError::TooLarge {
                requested: min_bytes,
                max: limit,
            });
        }
        Ok(min_bytes.div_ceil(self.region.slot_len().get() as usize))
    }

    /// Numbers out of the free list: as many as are needed, or none. There is room for
    /// them in `numbers`.
    fn take(&self, needed: usize, numbers: &mut Vec<u32>) -> Result<(), ReserveError> {
        let slot_len = self.region.slot_len().get() as usize;
        let limit = self.region.size();
        let mut free = self.free();
        let Some(keep) = free.len().checked_sub(needed) else {
            return Err(ReserveError::OverBudget {
                requested: needed * slot_len,
                in_use: limit - free.len() * slot_len,
                limit,
            });
        };
        numbers.extend(free.drain(keep..).rev());
        Ok(())
    }

    /// The slot `index`, no longer lent, into the free list. Cannot panic: the
    /// list has room for all numbers, and each is in it at most once.
    ///
    /// # Safety
    /// The block with this number is gone, and this is called once for it (S3).
    pub(crate) unsafe fn take_back(&self, index: u32) {
        self.free().push(index);
    }

    /// A panic under this lock is not possible, so poison would mean nothing.
    fn free(&self) -> MutexGuard<'_, Vec<u32>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An empty list with room for so many.
fn room_for<T>(count: usize) -> Result<Vec<T>, ReserveError> {
    let mut list = Vec::new();
    list.try_reserve_exact(count)
        .map_err(|_| ReserveError::OutOfMemory {
            requested: count.saturating_mul(size_of::<T>()),
        })?;
    Ok(list)
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
    fn figures_are_shown() {
        let arena = arena(3, 8);
        assert_eq!(arena.slot_len().get(), 8);
        let _lent = lend(&arena, 8);
        let shown = format!("{arena:?}");
        assert_eq!(shown, "Arena { slots: 3, slots_free: 2, slot_len: 8 }");
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

    fn lend(arena: &Arena, bytes: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        arena
            .provide(bytes, &mut |block| blocks.push(block))
            .unwrap();
        blocks
    }

    fn number(block: &Block) -> u32 {
        let meta = block.meta().unwrap();
        meta.downcast_ref::<crate::SlotMeta>().unwrap().slot()
    }

    #[test]
    fn the_last_that_came_back_is_the_first_to_go_and_no_slot_is_lent_twice() {
        let arena = arena(4, 8);
        let room = arena.shared.free().capacity();
        let mut lent: Vec<_> = lend(&arena, 32).into_iter().map(Some).collect();
        for index in [2, 0, 3, 1] {
            assert_eq!(lent[index].as_ref().map(number), Some(index as u32));
            lent[index] = None;
        }
        let again = lend(&arena, 32);
        let numbers: Vec<_> = again.iter().map(number).collect();
        assert_eq!(numbers, [1, 3, 0, 2]);
        // Opened, each shows where it lies.
        let mut addresses: Vec<_> = again
            .into_iter()
            .map(|block| {
                let (memory, _len, references) = block.open();
                drop(references);
                memory.addr().get()
            })
            .collect();
        assert_eq!(addresses[0], addresses[2] + 8);
        addresses.sort_unstable();
        assert!(addresses.windows(2).all(|pair| pair[1] == pair[0] + 8));
        assert_eq!(arena.slots_free(), 4);
        assert_eq!(
            arena.shared.free().capacity(),
            room,
            "a release that grew it"
        );
    }

    #[test]
    fn a_block_that_was_filled_before_can_be_dropped_as_it_is() {
        let arena = arena(1, 8);
        for _ in 0..3 {
            let (_, _, references) = lend(&arena, 8).remove(0).open();
            drop(references.clone());
            drop(references);
            assert_eq!(arena.slots_free(), 1);
            drop(lend(&arena, 1));
            assert_eq!(arena.slots_free(), 1);
        }
    }

    #[test]
    fn blocks_go_home_to_their_own_arena() {
        let (one, two) = (arena(2, 8), arena(2, 8));
        let (first, second) = (lend(&one, 16), lend(&two, 16));
        drop(first);
        assert_eq!((one.slots_free(), two.slots_free()), (2, 0));
        drop(second);
        assert_eq!((one.slots_free(), two.slots_free()), (2, 2));
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
