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
use crate::size_class::SizeClass;

/// A stack of blocks of one class. Dropping one that is not empty leaks blocks.
pub(crate) struct Magazine(Vec<PoolBlock>);

impl Magazine {
    /// A magazine without room for anything; owns no memory.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// An empty magazine, or `None` if the allocator refuses.
    pub(crate) fn try_new(class: SizeClass) -> Option<Self> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(class.magazine_blocks()).ok()?;
        Some(Self(blocks))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is no room, as in [`none`](Self::none).
    fn is_full(&self) -> bool {
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

    /// After a failed `pop`: swaps in the other magazine if it has blocks.
    pub(crate) fn swap_and_pop(&mut self) -> Option<PoolBlock> {
        if self.previous.is_empty() {
            return None;
        }
        std::mem::swap(&mut self.loaded, &mut self.previous);
        self.loaded.pop()
    }

    /// After a failed `push`: swaps in the other magazine if it has room.
    pub(crate) fn swap_and_push(&mut self, block: PoolBlock) -> Result<(), PoolBlock> {
        if self.previous.is_full() {
            return Err(block);
        }
        std::mem::swap(&mut self.loaded, &mut self.previous);
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

    /// Takes both magazines out.
    pub(crate) fn take(&mut self) -> [Magazine; 2] {
        let Self { loaded, previous } = std::mem::replace(self, Self::new());
        [loaded, previous]
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use std::ptr::NonNull;

    use super::*;
    use crate::slab;

    fn block() -> PoolBlock {
        slab::allocate(SizeClass::ALL[0], NonNull::dangling()).unwrap()
    }

    fn drain(mut magazine: Magazine) -> usize {
        let mut blocks = 0;
        while let Some(block) = magazine.pop() {
            slab::free(block);
            blocks += 1;
        }
        blocks
    }

    #[test]
    fn a_magazine_holds_its_capacity_and_no_more() {
        let class = SizeClass::ALL[0];
        let mut magazine = Magazine::try_new(class).unwrap();
        for _ in 0..class.magazine_blocks() {
            assert!(magazine.push(block()).is_ok());
        }
        slab::free(magazine.push(block()).expect_err("full"));
        assert_eq!(drain(magazine), class.magazine_blocks());
    }

    #[test]
    fn none_has_no_room() {
        let mut none = Magazine::none();
        assert!(none.is_none() && none.is_empty());
        slab::free(none.push(block()).expect_err("no room"));
        assert!(!Magazine::try_new(SizeClass::ALL[0]).unwrap().is_none());
    }

    #[test]
    fn the_pair_exchanges_one_magazine_in_each_direction() {
        let class = SizeClass::ALL[0];
        let mut pair = Magazines::new();
        let empty = || Magazine::try_new(class).unwrap();

        let (pushed, displaced) = pair.load_and_push(empty(), block());
        assert!(pushed.is_ok() && displaced.is_none());
        for _ in 1..class.magazine_blocks() {
            assert!(pair.push(block()).is_ok());
        }
        let extra = pair.push(block()).expect_err("full");
        let extra = pair.swap_and_push(extra).expect_err("no second magazine");
        assert!(pair.swap_and_pop().is_none());
        assert!(pair.pop().is_some_and(|block| {
            slab::free(block);
            true
        }));
        assert!(pair.push(extra).is_ok());

        let (pushed, displaced) = pair.load_and_push(empty(), block());
        assert!(pushed.is_ok() && displaced.is_none());
        let (pushed, displaced) = pair.load_and_push(empty(), block());
        assert!(pushed.is_ok());
        assert_eq!(drain(displaced), class.magazine_blocks());

        let blocks: usize = pair.take().into_iter().map(drain).sum();
        assert_eq!(blocks, 2);
    }
}
