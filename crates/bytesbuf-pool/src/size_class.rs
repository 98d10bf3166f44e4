//! The arithmetic of size classes, and the constants of the pool.

use std::array;
use std::num::NonZero;

use crate::slab::SlabPlan;
use crate::sync::MODEL;

/// Most size classes that a pool can have. A power of two, so that an index needs
/// no check.
pub(crate) const MAX_CLASSES: usize = if MODEL { 1 } else { 8 };

/// Most classes that serve ordinary requests.
pub(crate) const MAX_ORDINARY: usize = if MODEL { 1 } else { 5 };

/// Bytes of payload in the blocks of each class, smallest first, if the user does
/// not say otherwise. Those of the reference.
pub(crate) const DEFAULT_SIZES: &[u32] = if MODEL {
    &[1024]
} else {
    &[1024, 4096, 16_384, 65_536]
};

/// Largest contiguous block that is pooled, in bytes, if the user does not say
/// otherwise.
pub(crate) const DEFAULT_POOLED_CONTIGUOUS: u32 = if MODEL { 1024 } else { 1 << 20 };

/// Blocks in a magazine of the smallest class, if the user does not say otherwise.
pub(crate) const DEFAULT_MAGAZINE_BLOCKS: usize = if MODEL {
    1
} else if cfg!(miri) {
    2
} else {
    64
};

/// Most bytes of payload in one magazine, as far as one block is not larger.
const MAGAZINE_BYTES: usize = 512 << 10;

/// Bytes of the first slabs of a class, as far as one block is not more: with its
/// header, and what alignment adds.
const SLAB_BYTES: usize = 512 << 10;

/// Most bytes of a slab of several blocks. A page or so of each slab
/// stays with the allocator when it is freed, and a block in use keeps its slab.
pub(crate) const MAX_SLAB_BYTES: usize = if MODEL || cfg!(miri) { 0 } else { 4 << 20 };

/// Most bytes in free blocks that the depot keeps, if the user does not say
/// otherwise.
pub(crate) const DEFAULT_CACHED_BYTES: usize = if MODEL {
    1024
} else if cfg!(miri) {
    256 << 10
} else {
    64 << 20
};

/// Most magazines of one class in the depot, whatever the bound in bytes: they
/// have a place there each, of 32 bytes.
const DEPOT_MAGAZINES: usize = 512;

/// Empty magazines of one class that the depot keeps.
pub(crate) const DEPOT_EMPTIES: usize = if MODEL || cfg!(miri) { 1 } else { 32 };

/// References to the shared object that a thread cache takes or returns at once.
pub(crate) const STOCK: usize = if MODEL || cfg!(miri) {
    2
} else if usize::BITS >= 64 {
    1 << 16
} else {
    1 << 10
};

/// Which of a pool's classes: its position, smallest first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    pub(crate) const FIRST: Self = Self(0);

    /// Every class that a pool can have.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..MAX_CLASSES as u8).map(Self)
    }

    /// Below [`MAX_CLASSES`].
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize & (MAX_CLASSES - 1)
    }
}

const _: () = assert!(MAX_CLASSES.is_power_of_two());

/// The size classes of one pool.
pub(crate) struct ClassTable {
    /// Largest request of each ordinary class but the last; `usize::MAX` behind
    /// those.
    bounds: [usize; MAX_CLASSES],
    /// The class for the smallest request of each [`magnitude`]: where to look for that
    /// of the others.
    first_of_magnitude: [u8; usize::BITS as usize],
    /// Ordinary classes, then those for contiguous blocks alone.
    classes: [ClassPlan; MAX_CLASSES],
    /// Bytes in a block of the largest ordinary class.
    largest: usize,
    ordinary: u8,
    all: u8,
}

/// What a class is made of. Zero in places that are not used.
#[derive(Copy, Clone)]
pub(crate) struct ClassPlan {
    pub(crate) slab: SlabPlan,
    pub(crate) magazine_blocks: usize,
    pub(crate) depot_magazines: usize,
}

impl ClassTable {
    /// `sizes` are the ordinary ones, ascending, one to [`MAX_ORDINARY`] of them;
    /// `contiguous` those for contiguous blocks alone, larger ones. `None` if a
    /// slab of one of them is more than the address space.
    pub(crate) fn new(
        sizes: &[u32],
        contiguous: &[u32],
        alignment: usize,
        magazine_blocks: usize,
        cached_bytes: usize,
        one_block_slabs: bool,
    ) -> Option<Self> {
        let mut bounds = [usize::MAX; MAX_CLASSES];
        for (bound, size) in bounds.iter_mut().zip(&sizes[..sizes.len() - 1]) {
            *bound = *size as usize;
        }
        let first_of_magnitude =
            array::from_fn(|n| bounds.partition_point(|bound| *bound < 1 << n) as u8);
        let smallest = sizes[0];
        let mut classes = [ClassPlan::NONE; MAX_CLASSES];
        for (index, size) in sizes.iter().chain(contiguous).enumerate() {
            let class = Class(index as u8);
            let slab_blocks = if one_block_slabs {
                1
            } else {
                blocks_in_slab(SlabPlan::footprint(*size, alignment))
            };
            let slab = SlabPlan::new(class, NonZero::new(*size)?, slab_blocks, alignment)?;
            let blocks = magazine_of(*size, smallest, magazine_blocks);
            classes[index] = ClassPlan {
                slab,
                magazine_blocks: blocks,
                depot_magazines: (cached_bytes / (blocks * *size as usize))
                    .clamp(1, DEPOT_MAGAZINES),
            };
        }
        Some(Self {
            bounds,
            first_of_magnitude,
            classes,
            largest: sizes[sizes.len() - 1] as usize,
            ordinary: sizes.len() as u8,
            all: (sizes.len() + contiguous.len()) as u8,
        })
    }

    /// The class for a request: the smallest ordinary one whose blocks hold it, or
    /// else the largest.
    #[inline]
    pub(crate) fn for_request(&self, min_bytes: usize) -> Class {
        let class = Class(self.first_of_magnitude[magnitude(min_bytes)]);
        if min_bytes <= self.bounds[class.index()] {
            return class;
        }
        self.next_for_request(class, min_bytes)
    }

    /// `for_request` where the smallest class of that magnitude is too small.
    #[inline(never)]
    fn next_for_request(&self, mut class: Class, min_bytes: usize) -> Class {
        // Once, if each class is at least twice as large as the one before.
        while min_bytes > self.bounds[class.index()] {
            class = Class(class.0 + 1);
        }
        class
    }

    /// The class for a request that has to be met by one block.
    pub(crate) fn for_contiguous(&self, bytes: u32) -> Option<Class> {
        self.used()
            .find(|class| self.plan(*class).slab.block_size().get() >= bytes)
    }

    /// Blocks that a request takes. One for a request of nothing.
    pub(crate) fn blocks_for(&self, min_bytes: usize) -> (Class, usize) {
        let class = self.for_request(min_bytes);
        let size = self.plan(class).slab.block_size().get() as usize;
        (class, min_bytes.div_ceil(size).max(1))
    }

    /// Bytes in the largest block that serves ordinary requests.
    #[inline]
    pub(crate) const fn largest(&self) -> usize {
        self.largest
    }

    #[inline]
    pub(crate) const fn plan(&self, class: Class) -> &ClassPlan {
        &self.classes[class.index()]
    }

    /// The classes that this pool has, smallest first.
    pub(crate) fn used(&self) -> impl DoubleEndedIterator<Item = Class> + use<> {
        (0..self.all).map(Class)
    }

    /// Whether a class serves contiguous requests alone.
    pub(crate) const fn is_contiguous_only(&self, class: Class) -> bool {
        class.0 >= self.ordinary
    }
}

/// Requests of at least `2^n` bytes and less than twice that have magnitude `n`; one of
/// nothing has 0.
#[inline]
const fn magnitude(min_bytes: usize) -> usize {
    (min_bytes | 1).ilog2() as usize
}

impl ClassPlan {
    const NONE: Self = Self {
        slab: SlabPlan::NONE,
        magazine_blocks: 0,
        depot_magazines: 1,
    };
}

/// Small blocks come in large magazines, so that exchanges are rare; large blocks
/// in small ones, so that a thread does not sit on much memory: half as many for
/// each fourfold size.
fn magazine_of(size: u32, smallest: u32, of_smallest: usize) -> usize {
    let halvings = (size / smallest).ilog2() / 2;
    (of_smallest >> halvings)
        .min(MAGAZINE_BYTES / size as usize)
        .max(1)
}

/// As many blocks of `footprint` bytes each, headers and gaps included, as make up a
/// slab.
fn blocks_in_slab(footprint: usize) -> u32 {
    if MODEL {
        2
    } else if cfg!(miri) {
        4
    } else {
        (SLAB_BYTES / footprint).max(1) as u32
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    fn defaults() -> ClassTable {
        ClassTable::new(
            DEFAULT_SIZES,
            &[262_144, 1_048_576],
            64,
            64,
            DEFAULT_CACHED_BYTES,
            false,
        )
        .unwrap()
    }

    #[test]
    fn requests_map_to_exactly_these_blocks() {
        let table = [
            (0, 1024, 1),
            (1, 1024, 1),
            (1023, 1024, 1),
            (1024, 1024, 1),
            (1025, 4096, 1),
            (4096, 4096, 1),
            (4097, 16_384, 1),
            (16_384, 16_384, 1),
            (16_385, 65_536, 1),
            (65_535, 65_536, 1),
            (65_536, 65_536, 1),
            (65_537, 65_536, 2),
            (131_072, 65_536, 2),
            (131_073, 65_536, 3),
            (usize::MAX - 65_535, 65_536, usize::MAX / 65_536),
            (usize::MAX - 65_534, 65_536, usize::MAX / 65_536 + 1),
            (usize::MAX, 65_536, usize::MAX / 65_536 + 1),
        ];
        let classes = defaults();
        for (request, size, count) in table {
            let (class, blocks) = classes.blocks_for(request);
            assert_eq!(
                (classes.plan(class).slab.block_size().get(), blocks),
                (size, count),
                "request of {request} bytes"
            );
        }
    }

    #[test]
    fn classes_may_be_of_any_sizes() {
        let sizes = [1, 3, 1000, 1001, 1_000_000];
        let classes = ClassTable::new(&sizes, &[], 64, 64, 0, false).unwrap();
        for request in (0..5000).chain(999_990..1_000_010) {
            let expected = sizes.iter().position(|size| request <= *size as usize);
            let class = classes.for_request(request);
            assert_eq!(
                class.index(),
                expected.unwrap_or(4),
                "request of {request} bytes"
            );
        }
    }

    #[test]
    fn contiguous_requests_get_a_class_of_their_own_until_the_largest() {
        let classes = defaults();
        let size = |bytes| {
            classes
                .for_contiguous(bytes)
                .map(|class| classes.plan(class).slab.block_size().get())
        };
        assert_eq!(size(1), Some(1024));
        assert_eq!(size(65_536), Some(65_536));
        assert_eq!(size(65_537), Some(262_144));
        assert_eq!(size(262_145), Some(1_048_576));
        assert_eq!(size(1_048_577), None);
        assert_eq!(size(u32::MAX), None);
    }

    #[test]
    fn two_magazines_of_an_ordinary_class_are_at_most_one_mebibyte() {
        let sizes: Vec<_> = DEFAULT_SIZES
            .iter()
            .map(|size| magazine_of(*size, 1024, 64))
            .collect();
        assert_eq!(sizes, [64, 32, 16, 8]);
        assert_eq!(magazine_of(262_144, 1024, 64), 2);
        assert_eq!(magazine_of(1 << 20, 1024, 64), 1);
    }
}
