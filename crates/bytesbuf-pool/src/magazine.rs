//! A fixed-size stack of blocks, and the pair of them that a thread works with.
//!
//! Two magazines a class (Bonwick): a thread that goes back and forth over the
//! edge of one swaps it with the other, and visits the depot only after a whole
//! magazine of rents, or of releases, in a row.
//!
//! # Invariants
//! * **M1** A magazine never grows: it is pushed to only below its capacity, so
//!   that neither `push` nor `pop` calls the allocator.

use crate::header::PoolBlock;

/// A stack of blocks of one class. Dropping one that is not empty leaks blocks.
pub(crate) struct Magazine(Vec<PoolBlock>);

impl Magazine {
    /// A magazine without room for anything; owns no memory.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// An empty magazine, or `None` if the allocator refuses.
    pub(crate) fn try_new(capacity: usize) -> Option<Self> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(capacity).ok()?;
        Some(Self(blocks))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is no room, as in [`none`](Self::none).
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() == self.0.capacity()
    }

    /// Whether this is [`none`](Self::none).
    pub(crate) fn is_none(&self) -> bool {
        self.0.capacity() == 0
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<PoolBlock> {
        self.0.pop()
    }

    /// Gives the block back if there is no room.
    #[inline]
    pub(crate) fn push(&mut self, block: PoolBlock) -> Result<(), PoolBlock> {
        if self.0.len() < self.0.capacity() {
            self.0.push(block); // M1: below capacity
            return Ok(());
        }
        Err(block)
    }
}

/// The magazines of one thread, pool and class.
pub(crate) struct Magazines {
    loaded: Magazine,
    previous: Magazine,
}

impl Magazines {
    pub(crate) const fn new() -> Self {
        Self {
            loaded: Magazine::none(),
            previous: Magazine::none(),
        }
    }

    /// Takes a block from the loaded magazine.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<PoolBlock> {
        self.loaded.pop()
    }

    /// Puts a block into the loaded magazine, or gives it back.
    #[inline]
    pub(crate) fn push(&mut self, block: PoolBlock) -> Result<(), PoolBlock> {
        self.loaded.push(block)
    }

    /// Takes a block from either magazine; from the other one by swapping the two.
    pub(crate) fn pop_either(&mut self) -> Option<PoolBlock> {
        if self.loaded.is_empty() && !self.previous.is_empty() {
            std::mem::swap(&mut self.loaded, &mut self.previous);
        }
        self.loaded.pop()
    }

    /// Puts a block into either magazine, or gives it back; into the other one by
    /// swapping the two.
    pub(crate) fn push_either(&mut self, block: PoolBlock) -> Result<(), PoolBlock> {
        if self.loaded.is_full() && !self.previous.is_full() {
            std::mem::swap(&mut self.loaded, &mut self.previous);
        }
        self.loaded.push(block)
    }

    /// Loads a magazine from the depot and takes a block out of it. Returns the
    /// magazine that had to make room: the one that was loaded.
    pub(crate) fn load_and_pop(&mut self, full: Magazine) -> (Option<PoolBlock>, Magazine) {
        let displaced = std::mem::replace(&mut self.loaded, full);
        (self.loaded.pop(), displaced)
    }

    /// Loads an empty magazine and puts `block` into it. Returns the magazine that
    /// had to make room, the previous one, and the block if `empty` has no room.
    pub(crate) fn load_and_push(
        &mut self,
        empty: Magazine,
        block: PoolBlock,
    ) -> (Result<(), PoolBlock>, Magazine) {
        let loaded = std::mem::replace(&mut self.loaded, empty);
        let displaced = std::mem::replace(&mut self.previous, loaded);
        (self.loaded.push(block), displaced)
    }

    /// Both magazines.
    pub(crate) const fn both(&mut self) -> [&mut Magazine; 2] {
        [&mut self.loaded, &mut self.previous]
    }

    /// Takes both magazines out.
    pub(crate) fn take(&mut self) -> [Magazine; 2] {
        let Self { loaded, previous } = std::mem::replace(self, Self::new());
        [loaded, previous]
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
pub(crate) mod tests {
    use std::num::NonZero;
    use std::ptr::NonNull;

    use super::*;
    use crate::size_class::Class;
    use crate::slab::SlabPlan;
    use crate::slab_store::SlabStore;

    /// Where the blocks of a test come from and go to. 64 bytes each.
    pub(crate) struct Blocks {
        store: SlabStore,
        plan: SlabPlan,
    }

    impl Blocks {
        pub(crate) fn new() -> Self {
            let size = NonZero::new(64).unwrap();
            Self {
                store: SlabStore::new(),
                plan: SlabPlan::new(Class::FIRST, size, 3, 64).unwrap(),
            }
        }

        pub(crate) fn take(&self) -> PoolBlock {
            self.store
                .take(&self.plan, NonNull::dangling(), None)
                .unwrap()
        }

        fn put(&self, block: PoolBlock) {
            self.store.put(block);
        }

        pub(crate) fn drain(&self, mut magazine: Magazine) -> usize {
            let mut blocks = 0;
            while let Some(block) = magazine.pop() {
                self.put(block);
                blocks += 1;
            }
            blocks
        }
    }

    const CAPACITY: usize = 4;

    fn empty() -> Magazine {
        Magazine::try_new(CAPACITY).unwrap()
    }

    #[test]
    fn a_magazine_holds_its_capacity_and_no_more() {
        let blocks = Blocks::new();
        let mut magazine = empty();
        for _ in 0..CAPACITY {
            assert!(magazine.push(blocks.take()).is_ok());
        }
        blocks.put(magazine.push(blocks.take()).expect_err("full"));
        assert_eq!(blocks.drain(magazine), CAPACITY);
    }

    #[test]
    fn none_has_no_room() {
        let blocks = Blocks::new();
        let mut none = Magazine::none();
        assert!(none.is_none() && none.is_empty());
        blocks.put(none.push(blocks.take()).expect_err("no room"));
        assert!(!empty().is_none());
    }

    fn filled(blocks: &Blocks, len: usize) -> Magazine {
        let mut magazine = empty();
        for _ in 0..len {
            assert!(magazine.push(blocks.take()).is_ok());
        }
        magazine
    }

    #[test]
    fn full_is_without_room() {
        let blocks = Blocks::new();
        assert!(Magazine::none().is_full());
        assert!(!empty().is_full());
        for (len, full) in [(CAPACITY - 1, false), (CAPACITY, true)] {
            let magazine = filled(&blocks, len);
            assert_eq!(magazine.is_full(), full, "{len} of {CAPACITY}");
            assert_eq!(blocks.drain(magazine), len);
        }
    }

    /// Blocks in the loaded and in the previous magazine, which are emptied.
    fn lens(blocks: &Blocks, pair: &mut Magazines) -> [usize; 2] {
        pair.take().map(|magazine| blocks.drain(magazine))
    }

    #[test]
    fn the_other_magazine_serves_only_where_the_loaded_one_cannot() {
        let blocks = Blocks::new();
        let pair = |loaded, previous| Magazines {
            loaded: filled(&blocks, loaded),
            previous: filled(&blocks, previous),
        };
        let taken = [
            // Loaded, previous; then, after a block was taken from either.
            ([2, 3], [1, 3]),
            ([0, 3], [2, 0]),
            ([1, 0], [0, 0]),
        ];
        for (before, after) in taken {
            let mut pair = pair(before[0], before[1]);
            blocks.put(pair.pop_either().expect("one has a block"));
            assert_eq!(lens(&blocks, &mut pair), after, "taken from {before:?}");
        }
        assert!(pair(0, 0).pop_either().is_none());
        let put = [
            ([2, 3], [3, 3]),
            ([CAPACITY, 1], [2, CAPACITY]),
            ([1, CAPACITY], [2, CAPACITY]),
        ];
        for (before, after) in put {
            let mut pair = pair(before[0], before[1]);
            assert!(pair.push_either(blocks.take()).is_ok());
            assert_eq!(lens(&blocks, &mut pair), after, "put into {before:?}");
        }
        let mut pair = pair(1, 1);
        blocks.put(pair.pop().expect("the loaded one has a block"));
        assert!(pair.pop().is_none(), "the fast path knows the loaded one");
        assert_eq!(lens(&blocks, &mut pair), [0, 1]);
    }

    #[test]
    fn the_pair_exchanges_one_magazine_in_each_direction() {
        let blocks = Blocks::new();
        let mut pair = Magazines::new();

        let (pushed, displaced) = pair.load_and_push(empty(), blocks.take());
        assert!(pushed.is_ok() && displaced.is_none());
        for _ in 1..CAPACITY {
            assert!(pair.push(blocks.take()).is_ok());
        }
        let extra = pair.push(blocks.take()).expect_err("full");
        let extra = pair.push_either(extra).expect_err("no second magazine");
        assert!(pair.pop_either().is_some_and(|block| {
            blocks.put(block);
            true
        }));
        assert!(pair.push(extra).is_ok());

        let (pushed, displaced) = pair.load_and_push(empty(), blocks.take());
        assert!(pushed.is_ok() && displaced.is_none());
        let (pushed, displaced) = pair.load_and_push(empty(), blocks.take());
        assert!(pushed.is_ok());
        assert_eq!(blocks.drain(displaced), CAPACITY);

        let left: usize = pair.take().into_iter().map(|m| blocks.drain(m)).sum();
        assert_eq!(left, 2);
        assert_eq!(blocks.store.figures().slabs, 0, "all went back");
    }
}
