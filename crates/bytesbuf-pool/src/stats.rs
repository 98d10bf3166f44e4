//! Figures of a pool, for people and for monitoring.

use std::fmt;
use std::num::NonZero;

use crate::budget::{Budget, BudgetStats};
use crate::shared::Shared;
use crate::size_class::Class;
use crate::slab_store::SlabFigures;
use crate::tally::Tally;

/// What a pool holds: see [`GlobalPool::stats`](crate::GlobalPool::stats).
///
/// A copy of the figures at one moment. Printed (`Display`), it is a table with a
/// line for each class, one of totals, one for what the allocator refused if it
/// did, and one for each level of the handle's budget.
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::new();
/// let block = pool.rent(4096)?;
/// drop(pool.rent(4096)?);
///
/// let stats = pool.stats();
/// assert_eq!((stats.bytes_in_use(), stats.bytes_cached()), (4096, 4096));
/// println!("{stats}");
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoolStats {
    classes: Vec<ClassStats>,
    direct: DirectStats,
    budget: Option<BudgetStats>,
    thread_caches: usize,
    name: Option<Box<str>>,
}

/// Figures of one size class of a pool.
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::new();
/// for class in pool.stats().classes() {
///     assert_eq!(class.blocks_in_use() + class.blocks_cached(), 0);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ClassStats {
    block_size: NonZero<u32>,
    contiguous_only: bool,
    tally: Tally,
    in_depot: usize,
    slabs: SlabFigures,
}

/// Blocks that are an allocation of their own: contiguous ones above the largest
/// size that is pooled.
#[derive(Clone, Copy, Debug)]
struct DirectStats {
    tally: Tally,
    bytes: usize,
    allocated: usize,
    refused: usize,
}

impl PoolStats {
    pub(crate) fn of(shared: &Shared, budget: Option<&Budget>) -> Self {
        let (tallies, thread_caches) = shared.tally();
        let class = |class: Class| ClassStats {
            block_size: shared.classes().plan(class).slab.block_size(),
            contiguous_only: shared.classes().is_contiguous_only(class),
            tally: tallies[class.index()],
            in_depot: shared.depot().blocks(class),
            slabs: shared.slabs(class).figures(),
        };
        let (tally, bytes, allocated) = shared.direct().figures();
        Self {
            classes: shared.classes().used().map(class).collect(),
            direct: DirectStats {
                tally,
                bytes,
                allocated,
                refused: shared.direct().refusals(),
            },
            budget: budget.map(Budget::stats),
            thread_caches,
            name: shared.settings().name.clone(),
        }
    }

    /// The figures of each class, smallest blocks first; those for contiguous
    /// requests alone come last.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = ClassStats> + '_ {
        self.classes.iter().copied()
    }

    /// Bytes of payload in blocks that are rented and not yet released.
    #[must_use]
    pub fn bytes_in_use(&self) -> usize {
        self.sum(|class| class.bytes(class.blocks_in_use()))
            .saturating_add(self.direct.bytes)
    }

    /// Bytes of payload in free blocks that are kept at hand, in the depot and with
    /// threads.
    #[must_use]
    pub fn bytes_cached(&self) -> usize {
        self.sum(|class| class.bytes(class.blocks_cached()))
    }

    /// Bytes that the pool has from the global allocator for its blocks, in use,
    /// free or not used yet.
    #[must_use]
    pub fn bytes_allocated(&self) -> usize {
        self.sum(|class| class.slabs.bytes)
            .saturating_add(self.direct.allocated)
    }

    /// Rented blocks that are an allocation of their own, because no class is large
    /// enough.
    #[must_use]
    pub const fn direct_blocks_in_use(&self) -> usize {
        self.direct.tally.in_use()
    }

    /// Rentals of all classes and sizes that failed because the global allocator had
    /// no memory. Wraps around.
    #[must_use]
    pub fn out_of_memory(&self) -> usize {
        let classes = self.classes.iter().map(ClassStats::out_of_memory);
        classes.fold(self.direct.refused, usize::wrapping_add)
    }

    /// Figures of the budget that was charged by the handle which was asked, and of
    /// the levels above it: among them how many requests waited and how many were
    /// refused. `None` if it had none.
    #[must_use]
    pub const fn budget(&self) -> Option<&BudgetStats> {
        self.budget.as_ref()
    }

    /// Threads that keep free blocks of the pool at hand.
    #[must_use]
    pub const fn thread_caches(&self) -> usize {
        self.thread_caches
    }

    /// The pool's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Blocks that are an allocation of their own, and how often there was no memory
    /// for one.
    #[cfg(feature = "metrics")]
    pub(crate) const fn direct(&self) -> (Tally, usize) {
        (self.direct.tally, self.direct.refused)
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
        self.block_size
    }

    /// Whether the class serves contiguous requests alone.
    #[must_use]
    pub const fn is_contiguous_only(&self) -> bool {
        self.contiguous_only
    }

    /// Blocks that are rented and not yet released.
    #[must_use]
    pub const fn blocks_in_use(&self) -> usize {
        self.tally.in_use()
    }

    /// Free blocks that are kept at hand, with threads and in the depot.
    #[must_use]
    pub const fn blocks_cached(&self) -> usize {
        self.tally.cached()
    }

    /// Those of them that are with threads.
    #[must_use]
    pub const fn blocks_cached_by_threads(&self) -> usize {
        self.tally.cached().saturating_sub(self.in_depot)
    }

    /// Those of them that are in the depot.
    #[must_use]
    pub const fn blocks_cached_in_depot(&self) -> usize {
        self.in_depot
    }

    /// Blocks rented since the pool was made, reused ones included. Wraps around.
    #[must_use]
    pub const fn rentals(&self) -> usize {
        self.tally.rented()
    }

    /// Rentals that a magazine of the renting thread served.
    #[must_use]
    pub const fn hits(&self) -> usize {
        self.tally.rented().saturating_sub(self.tally.missed())
    }

    /// Rentals that went to the depot, the slabs or the allocator.
    #[must_use]
    pub const fn misses(&self) -> usize {
        self.tally.missed()
    }

    /// Slabs that the class has from the global allocator.
    #[must_use]
    pub const fn slabs(&self) -> usize {
        self.slabs.slabs
    }

    /// Slabs taken from the global allocator since the pool was made: the
    /// allocations for blocks of the class.
    #[must_use]
    pub const fn allocations(&self) -> usize {
        self.slabs.allocated
    }

    /// Most blocks that were ever rented or cached at one moment.
    #[must_use]
    pub const fn high_water(&self) -> usize {
        self.slabs.most_out
    }

    /// Rentals of the class that failed because the global allocator had no memory.
    /// Wraps around.
    #[must_use]
    pub const fn out_of_memory(&self) -> usize {
        self.slabs.refused
    }

    #[cfg(feature = "metrics")]
    pub(crate) const fn tally(&self) -> Tally {
        self.tally
    }

    const fn bytes(&self, blocks: usize) -> usize {
        blocks.saturating_mul(self.block_size.get() as usize)
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>12} {:>9} {:>9} {:>9} {:>9} {:>7} {:>12} {:>9}",
            "block bytes", "rented", "threads", "depot", "most", "slabs", "rentals", "misses"
        )?;
        for class in self.classes() {
            writeln!(
                f,
                "{:>12} {:>9} {:>9} {:>9} {:>9} {:>7} {:>12} {:>9}",
                class.block_size(),
                class.blocks_in_use(),
                class.blocks_cached_by_threads(),
                class.blocks_cached_in_depot(),
                class.high_water(),
                class.slabs(),
                class.rentals(),
                class.misses(),
            )?;
        }
        write!(
            f,
            "total: {} bytes rented, {} cached, {} from the allocator; {} thread caches",
            self.bytes_in_use(),
            self.bytes_cached(),
            self.bytes_allocated(),
            self.thread_caches,
        )?;
        let out_of_memory = self.out_of_memory();
        if out_of_memory > 0 {
            write!(f, "\nallocator: {out_of_memory} rentals without memory")?;
        }
        if let Some(budget) = &self.budget {
            write!(f, "\n{budget}")?;
        }
        Ok(())
    }
}
