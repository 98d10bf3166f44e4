//! The lock-free store of magazines that the threads of a pool exchange.
//!
//! Two bounded queues a class: magazines with blocks (not always full: a thread
//! that exits leaves what it has) and empty ones. Nothing here takes a lock or calls
//! the allocator. (The queue has no locks, but a thread that is stopped between
//! claiming a place and filling it makes the next one at that place yield.)

use std::array;

use crate::magazine::Magazine;
use crate::size_class::{Class, ClassTable, DEPOT_EMPTIES, MAX_CLASSES};
use crate::sync::{ArrayQueue, AtomicUsize, Ordering};

pub(crate) struct Depot {
    classes: [Shelf; MAX_CLASSES],
    /// Bytes of payload in all blocks here, and how many there may be.
    bytes: AtomicUsize,
    max_bytes: usize,
}

struct Shelf {
    filled: ArrayQueue<Magazine>,
    empty: ArrayQueue<Magazine>,
    /// Blocks in `filled`.
    blocks: AtomicUsize,
    block_size: usize,
    /// Fewest magazines that were in `filled` since the last tick: nobody needed
    /// those.
    spare: AtomicUsize,
}

impl Depot {
    pub(crate) fn new(classes: &ClassTable, max_bytes: usize) -> Self {
        let mut all = Class::all();
        Self {
            classes: array::from_fn(|_| {
                let plan = all.next().map(|class| classes.plan(class));
                Shelf {
                    filled: ArrayQueue::new(plan.map_or(1, |plan| plan.depot_magazines)),
                    empty: ArrayQueue::new(DEPOT_EMPTIES),
                    blocks: AtomicUsize::new(0),
                    block_size: plan.map_or(1, |plan| plan.slab.block_size().get() as usize),
                    spare: AtomicUsize::new(0),
                }
            }),
            bytes: AtomicUsize::new(0),
            max_bytes,
        }
    }

    /// A magazine with at least one block.
    pub(crate) fn take_filled(&self, class: Class) -> Option<Magazine> {
        let shelf = self.of(class);
        let Some(filled) = shelf.filled.pop() else {
            // Relaxed: partner of nothing; a figure to go by.
            shelf.spare.store(0, Ordering::Relaxed);
            return None;
        };
        // Relaxed: partner of nothing; a figure to go by.
        shelf.spare.fetch_min(shelf.filled.len(), Ordering::Relaxed);
        self.count_out(shelf, filled.len());
        Some(filled)
    }

    /// Stores a magazine with at least one block, or gives it back if there is no
    /// room or too much here already.
    pub(crate) fn give_filled(&self, class: Class, filled: Magazine) -> Result<(), Magazine> {
        debug_assert!(!filled.is_empty(), "only magazines with blocks");
        let shelf = self.of(class);
        let blocks = filled.len();
        let bytes = blocks * shelf.block_size;
        // Relaxed: partner of nothing; a bound on a sum, nothing is handed over. Counted
        // before they are here, so that the bound holds at any moment.
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Relaxed: partner of nothing; a figure for people.
        shelf.blocks.fetch_add(blocks, Ordering::Relaxed);
        let stored = if before.saturating_add(bytes) > self.max_bytes {
            Err(filled)
        } else {
            shelf.filled.push(filled)
        };
        if stored.is_err() {
            self.count_out(shelf, blocks);
        }
        stored
    }

    fn count_out(&self, shelf: &Shelf, blocks: usize) {
        // Relaxed: partner of nothing; as in `give_filled`.
        self.bytes
            .fetch_sub(blocks * shelf.block_size, Ordering::Relaxed);
        // Relaxed: partner of nothing; a figure for people.
        shelf.blocks.fetch_sub(blocks, Ordering::Relaxed);
    }

    pub(crate) fn take_empty(&self, class: Class) -> Option<Magazine> {
        self.of(class).empty.pop()
    }

    /// Stores an empty magazine, or gives it back if there is no room or if it is
    /// none.
    pub(crate) fn give_empty(&self, class: Class, empty: Magazine) -> Result<(), Magazine> {
        debug_assert!(empty.is_empty(), "only magazines without blocks");
        if empty.is_none() {
            return Err(empty);
        }
        self.of(class).empty.push(empty)
    }

    /// Blocks of a class that are here.
    pub(crate) fn blocks(&self, class: Class) -> usize {
        // Relaxed: partner of nothing; a figure for people.
        self.of(class).blocks.load(Ordering::Relaxed)
    }

    /// Magazines of a class that nobody has needed since this was last asked.
    pub(crate) fn tick(&self, class: Class) -> usize {
        let shelf = self.of(class);
        // Relaxed: partner of nothing; a figure to go by.
        shelf.spare.swap(shelf.filled.len(), Ordering::Relaxed)
    }

    fn of(&self, class: Class) -> &Shelf {
        &self.classes[class.index()]
    }
}

#[cfg(all(test, not(any(bytesbuf_loom, miri))))]
mod tests {
    use super::*;
    use crate::magazine::tests::Blocks;

    const SIZE: usize = 64;
    const CLASS: Class = Class::FIRST;

    fn depot(max_bytes: usize) -> Depot {
        let size = SIZE as u32;
        let classes = ClassTable::new(&[size], &[], 64, 2, max_bytes, false).unwrap();
        Depot::new(&classes, max_bytes)
    }

    /// A magazine with so many blocks.
    fn filled(blocks: &Blocks, count: usize) -> Magazine {
        let mut magazine = Magazine::try_new(4).unwrap();
        for _ in 0..count {
            assert!(magazine.push(blocks.take()).is_ok());
        }
        magazine
    }

    fn drain(depot: &Depot, blocks: &Blocks) -> usize {
        let magazines = std::iter::from_fn(|| depot.take_filled(CLASS));
        magazines.map(|magazine| blocks.drain(magazine)).sum()
    }

    #[test]
    fn the_bound_in_bytes_is_met_and_not_passed() {
        let blocks = Blocks::new();
        let depot = depot(5 * SIZE);
        assert!(depot.give_filled(CLASS, filled(&blocks, 2)).is_ok());
        assert!(depot.give_filled(CLASS, filled(&blocks, 1)).is_ok());
        let refused = depot.give_filled(CLASS, filled(&blocks, 3)).err().unwrap();
        assert_eq!(depot.blocks(CLASS), 3, "what is refused does not count");
        assert_eq!(blocks.drain(refused), 3);
        // No room in the queue, which was made for two magazines of two.
        let refused = depot.give_filled(CLASS, filled(&blocks, 2)).err().unwrap();
        assert_eq!((depot.blocks(CLASS), blocks.drain(refused)), (3, 2));

        blocks.drain(depot.take_filled(CLASS).unwrap());
        assert!(
            depot.give_filled(CLASS, filled(&blocks, 4)).is_ok(),
            "to the byte"
        );
        assert_eq!(depot.blocks(CLASS), 5);
        assert_eq!(drain(&depot, &blocks), 5);
        assert_eq!(depot.blocks(CLASS), 0);
        // Everything counted in was counted out.
        assert!(depot.give_filled(CLASS, filled(&blocks, 4)).is_ok());
        assert_eq!(drain(&depot, &blocks), 4);
    }

    #[test]
    fn what_lay_there_since_the_last_tick_is_spare() {
        let blocks = Blocks::new();
        let depot = depot(1 << 20);
        let give = |count: usize| {
            for _ in 0..count {
                assert!(depot.give_filled(CLASS, filled(&blocks, 1)).is_ok());
            }
        };
        let take = |count: usize| {
            for _ in 0..count {
                blocks.drain(depot.take_filled(CLASS).unwrap());
            }
        };
        give(5);
        assert_eq!(depot.tick(CLASS), 0, "they have only just come");
        assert_eq!(depot.tick(CLASS), 5);
        take(3);
        give(3);
        assert_eq!(depot.tick(CLASS), 2, "three were of use");
        take(5);
        assert!(depot.take_filled(CLASS).is_none());
        give(4);
        assert_eq!(depot.tick(CLASS), 0, "more would have been of use");
        assert_eq!(depot.tick(CLASS), 4);
        assert_eq!(drain(&depot, &blocks), 4);
    }

    #[test]
    fn empty_magazines_are_kept_up_to_a_number() {
        let depot = depot(1 << 20);
        assert!(depot.take_empty(CLASS).is_none());
        let none = depot.give_empty(CLASS, Magazine::none()).err().unwrap();
        assert!(none.is_none(), "is not worth keeping");
        for _ in 0..DEPOT_EMPTIES {
            let empty = Magazine::try_new(1).unwrap();
            assert!(depot.give_empty(CLASS, empty).is_ok());
        }
        assert!(
            depot
                .give_empty(CLASS, Magazine::try_new(1).unwrap())
                .is_err()
        );
        let taken = std::iter::from_fn(|| depot.take_empty(CLASS));
        assert_eq!(
            taken.filter(|empty| !empty.is_none()).count(),
            DEPOT_EMPTIES
        );
    }
}
