//! The arithmetic of size classes, and the constants of the pool.

use std::num::NonZero;

/// How large the blocks are that a request is served with: 1, 4, 16 or 64 KiB.
///
/// # Examples
/// ```
/// use bytesbuf_pool::SizeClass;
///
/// let (class, blocks) = SizeClass::for_request(1025).unwrap();
/// assert_eq!((class.block_size().get(), blocks.get()), (4096, 1));
///
/// let (class, blocks) = SizeClass::for_request(65_537).unwrap();
/// assert_eq!((class.block_size().get(), blocks.get()), (65_536, 2));
///
/// assert!(SizeClass::for_request(0).is_none());
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SizeClass(Class);

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    K1,
    K4,
    K16,
    K64,
}

const KIB: NonZero<u32> = NonZero::new(1024).unwrap();
const KIB_4: NonZero<u32> = NonZero::new(4096).unwrap();
const KIB_16: NonZero<u32> = NonZero::new(16_384).unwrap();
const KIB_64: NonZero<u32> = NonZero::new(65_536).unwrap();

/// Number of size classes.
pub(crate) const CLASSES: usize = 4;

impl SizeClass {
    /// All classes, smallest blocks first.
    pub const ALL: [Self; CLASSES] = [
        Self(Class::K1),
        Self(Class::K4),
        Self(Class::K16),
        Self(Class::K64),
    ];

    /// The class and the number of blocks for a request of `min_bytes` bytes, or
    /// `None` for a request of nothing.
    ///
    /// The smallest block that is large enough; above 64 KiB as many blocks of
    /// 64 KiB as it takes. Any `usize` is fine.
    #[must_use]
    #[inline]
    pub const fn for_request(min_bytes: usize) -> Option<(Self, NonZero<usize>)> {
        let class = match min_bytes {
            0..=1024 => Class::K1,
            1025..=4096 => Class::K4,
            4097..=16_384 => Class::K16,
            _ => Class::K64,
        };
        // Zero blocks only for zero bytes; below 64 KiB the quotient is one.
        match NonZero::new(min_bytes.div_ceil(KIB_64.get() as usize)) {
            Some(blocks) => Some((Self(class), blocks)),
            None => None,
        }
    }

    /// Bytes in a block of this class.
    #[must_use]
    #[inline]
    pub const fn block_size(self) -> NonZero<u32> {
        match self.0 {
            Class::K1 => KIB,
            Class::K4 => KIB_4,
            Class::K16 => KIB_16,
            Class::K64 => KIB_64,
        }
    }

    /// Position in [`ALL`](Self::ALL).
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Blocks in a magazine of this class. Small blocks come in large magazines,
    /// so that exchanges are rare; large blocks in small ones, so that a thread
    /// does not sit on much memory (at most two magazines a class: 128 KiB,
    /// 256 KiB, 512 KiB and 1 MiB).
    pub(crate) const fn magazine_blocks(self) -> usize {
        if cfg!(bytesbuf_loom) {
            1
        } else if cfg!(miri) {
            2
        } else {
            match self.0 {
                Class::K1 => 64,
                Class::K4 => 32,
                Class::K16 => 16,
                Class::K64 => 8,
            }
        }
    }

    /// Magazines with blocks that the depot keeps; more go to the allocator. At
    /// most 16, 32, 32 and 64 MiB.
    pub(crate) const fn depot_magazines(self) -> usize {
        if cfg!(bytesbuf_loom) {
            1
        } else if cfg!(miri) {
            2
        } else {
            match self.0 {
                Class::K1 | Class::K4 => 256,
                Class::K16 | Class::K64 => 128,
            }
        }
    }
}

/// Empty magazines of one class that the depot keeps.
pub(crate) const DEPOT_EMPTIES: usize = if cfg!(any(bytesbuf_loom, miri)) {
    1
} else {
    32
};

/// References to the shared object that a thread cache takes or returns at once.
pub(crate) const STOCK: usize = if cfg!(any(bytesbuf_loom, miri)) {
    2
} else if usize::BITS >= 64 {
    1 << 16
} else {
    1 << 10
};

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn index_is_the_position_in_all() {
        for (index, class) in SizeClass::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), index);
        }
    }

    #[test]
    fn two_magazines_of_a_class_are_at_most_one_mebibyte() {
        for class in SizeClass::ALL {
            assert!(2 * class.magazine_blocks() * class.block_size().get() as usize <= 1 << 20);
        }
    }
}
