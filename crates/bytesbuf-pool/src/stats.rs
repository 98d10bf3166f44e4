//! Figures of a pool, for people and for monitoring.

use std::fmt;
use std::num::NonZero;

use crate::size_class::{CLASSES, SizeClass};
use crate::tally::Tally;

/// What a pool holds: see [`GlobalPool::stats`](crate::GlobalPool::stats).
///
/// A copy of the figures at one moment. Printed (`Display`), it is a table with a
/// line for each class and one of totals.
///
/// # Examples
/// ```
/// use bytesbuf_pool::{GlobalPool, SizeClass};
///
/// let pool = GlobalPool::new();
/// let block = pool.rent(SizeClass::ALL[1])?;
/// drop(pool.rent(SizeClass::ALL[1])?);
///
/// let stats = pool.stats();
/// assert_eq!((stats.bytes_in_use(), stats.bytes_cached()), (4096, 4096));
/// println!("{stats}");
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoolStats {
    classes: [ClassStats; CLASSES],
    thread_caches: usize,
}

/// Figures of one size class of a pool.
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// for class in GlobalPool::new().stats().classes() {
///     assert_eq!(class.blocks_in_use() + class.blocks_cached(), 0);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ClassStats {
    class: SizeClass,
    tally: Tally,
}

impl PoolStats {
    pub(crate) fn new(tallies: [Tally; CLASSES], thread_caches: usize) -> Self {
        let class = |class: SizeClass| ClassStats {
            class,
            tally: tallies[class.index()],
        };
        Self {
            classes: SizeClass::ALL.map(class),
            thread_caches,
        }
    }

    /// The figures of each class, smallest blocks first.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = ClassStats> + '_ {
        self.classes.iter().copied()
    }

    /// Bytes of payload in blocks that are rented and not yet released.
    #[must_use]
    pub fn bytes_in_use(&self) -> usize {
        self.sum(|class| class.bytes(class.blocks_in_use()))
    }

    /// Bytes of payload in free blocks that the pool keeps, in the depot and with
    /// threads.
    #[must_use]
    pub fn bytes_cached(&self) -> usize {
        self.sum(|class| class.bytes(class.blocks_cached()))
    }

    /// Threads that keep free blocks of the pool at hand.
    #[must_use]
    pub const fn thread_caches(&self) -> usize {
        self.thread_caches
    }

    fn sum(&self, figure: impl Fn(&ClassStats) -> usize) -> usize {
        self.classes
            .iter()
            .map(figure)
            .fold(0, usize::saturating_add)
    }
}

impl ClassStats {
    /// Payload of a block of the class, in bytes.
    #[must_use]
    pub const fn block_size(&self) -> NonZero<u32> {
        self.class.block_size()
    }

    /// Blocks that are rented and not yet released.
    #[must_use]
    pub const fn blocks_in_use(&self) -> usize {
        self.tally.in_use()
    }

    /// Free blocks that the pool keeps.
    #[must_use]
    pub const fn blocks_cached(&self) -> usize {
        self.tally.cached()
    }

    /// Blocks rented since the pool was made, reused ones included. Wraps around.
    #[must_use]
    pub const fn rentals(&self) -> usize {
        self.tally.rented()
    }

    /// Blocks taken from the global allocator since the pool was made. Wraps
    /// around.
    #[must_use]
    pub const fn allocations(&self) -> usize {
        self.tally.allocated()
    }

    fn bytes(&self, blocks: usize) -> usize {
        blocks.saturating_mul(self.block_size().get() as usize)
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>10}  {:>10}  {:>10}  {:>10}",
            "block size", "rented", "cached", "allocated"
        )?;
        for class in self.classes() {
            writeln!(
                f,
                "{:>6} KiB  {:>10}  {:>10}  {:>10}",
                class.block_size().get() / 1024,
                class.blocks_in_use(),
                class.blocks_cached(),
                class.allocations(),
            )?;
        }
        write!(
            f,
            "total: {} bytes rented, {} bytes cached, {} thread caches",
            self.bytes_in_use(),
            self.bytes_cached(),
            self.thread_caches,
        )
    }
}
