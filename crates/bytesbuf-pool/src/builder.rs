//! How a pool is told what to be.

use std::alloc::{Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::time::Duration;

use crate::ledger::Sampling;
use crate::settings::{Settings, Wipe};
use crate::shared::Shared;
use crate::size_class::{
    ClassTable, DEFAULT_CACHED_BYTES, DEFAULT_MAGAZINE_BLOCKS, DEFAULT_POOLED_CONTIGUOUS,
    DEFAULT_SIZES, MAX_CLASSES, MAX_ORDINARY,
};
use crate::slab::MIN_ALIGNMENT;
use crate::{Budget, GlobalPool};

/// Settings of a pool to be. From [`GlobalPool::builder`].
///
/// What is not set is as in [`GlobalPool::new`]. Settings are checked together, in
/// [`build`](Self::build). `P` is the type of handle that it builds, for crates that
/// wrap [`GlobalPool`].
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::builder()
///     .name("disk pages")
///     .size_classes([4096, 65_536])
///     .alignment(4096)
///     .max_cached_bytes(16 << 20)
///     .build()?;
/// let (memory, len, _block) = pool.rent(100)?.open();
/// assert_eq!((memory.addr().get() % 4096, len.get()), (0, 4096));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct GlobalPoolBuilder<P = GlobalPool> {
    handle: PhantomData<fn() -> P>,
    sizes: Vec<u32>,
    /// `None`: the default, as far as there are classes for it.
    max_pooled_contiguous: Option<u32>,
    alignment: usize,
    magazine_blocks: usize,
    max_cached_bytes: usize,
    idle_decay: Option<Duration>,
    pass_through: bool,
    wipe: Wipe,
    sampling: Sampling,
    max_bytes: Option<usize>,
    budget: Option<Budget>,
    name: Option<Box<str>>,
}

/// Settings that make no pool.
///
/// # Examples
/// ```
/// use bytesbuf_pool::{GlobalPool, InvalidSettings};
///
/// let error = GlobalPool::builder().alignment(100).build().unwrap_err();
/// assert!(matches!(error, InvalidSettings::Alignment { alignment: 100 }));
/// assert_eq!(error.to_string(), "an alignment of 100 bytes is not a power of two up to 2^30");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSettings {
    /// No size class, or more than a pool can have.
    #[error("{given} size classes: between 1 and {max} are possible")]
    ClassCount {
        /// Size classes given.
        given: usize,
        /// Most that a pool can have.
        max: usize,
    },
    /// A size class of nothing, or not larger than the one before it.
    #[error("a size class of {size} bytes after one of {before}: sizes must ascend from 1")]
    ClassOrder {
        /// Bytes of the class.
        size: u32,
        /// Bytes of the class before it; 0 for the first.
        before: u32,
    },
    /// Pooled contiguous blocks so large that they need more classes than a pool
    /// can have.
    #[error(
        "contiguous blocks of {bytes} bytes cannot be pooled: at most {max} bytes with these \
         size classes"
    )]
    PooledContiguous {
        /// Bytes asked for.
        bytes: u32,
        /// Most that is possible.
        max: u32,
    },
    /// Not a power of two, or beyond 2^30.
    #[error("an alignment of {alignment} bytes is not a power of two up to 2^30")]
    Alignment {
        /// Bytes asked for.
        alignment: usize,
    },
    /// Magazines without a block, or of more than 4,096.
    #[error("magazines of {blocks} blocks: between 1 and 4096 are possible")]
    MagazineBlocks {
        /// Blocks asked for.
        blocks: usize,
    },
    /// Classes and alignment that make a slab larger than the address space.
    #[error("blocks of {largest} bytes aligned to {alignment} do not fit the address space")]
    TooLarge {
        /// Bytes of the largest class.
        largest: u32,
        /// Alignment in bytes.
        alignment: usize,
    },
}

const MAX_ALIGNMENT: usize = 1 << 30;
const MAX_MAGAZINE_BLOCKS: usize = 4096;

impl<P: From<GlobalPool>> GlobalPoolBuilder<P> {
    /// The settings of [`GlobalPool::new`].
    #[expect(
        clippy::new_without_default,
        reason = "a builder comes from the type that it builds"
    )]
    pub fn new() -> Self {
        Self {
            handle: PhantomData,
            sizes: DEFAULT_SIZES.to_vec(),
            max_pooled_contiguous: None,
            alignment: MIN_ALIGNMENT,
            magazine_blocks: DEFAULT_MAGAZINE_BLOCKS,
            max_cached_bytes: DEFAULT_CACHED_BYTES,
            idle_decay: Some(Duration::from_secs(10)),
            pass_through: false,
            wipe: Wipe::Never,
            sampling: Sampling::OFF,
            max_bytes: None,
            budget: None,
            name: None,
        }
    }

    /// Sizes of blocks in bytes, ascending, up to five. Default: 1, 4, 16 and
    /// 64 KiB. A request is served with the smallest block that holds it, one
    /// beyond the last size with as many of the largest as it takes.
    ///
    /// A thread keeps up to two magazines of free blocks of each size, of one block at
    /// least: with blocks of gigabytes that is gigabytes.
    pub fn size_classes(mut self, sizes: impl IntoIterator<Item = u32>) -> Self {
        self.sizes = sizes.into_iter().collect();
        self
    }

    /// Alignment of payloads in bytes: a power of two up to 2^30, at least 64.
    /// Default: 64.
    pub fn alignment(mut self, bytes: usize) -> Self {
        self.alignment = bytes;
        self
    }

    /// Largest contiguous block that is kept for reuse, in bytes; larger ones are
    /// an allocation each, freed when they are released. Above the largest size class
    /// it costs a class for each fourfold size, of which there are eight together.
    /// Default: 1 MiB, or what the classes allow.
    pub fn max_pooled_contiguous(mut self, bytes: u32) -> Self {
        self.max_pooled_contiguous = Some(bytes);
        self
    }

    /// Blocks of the smallest class in a magazine, 1 to 4,096; of larger classes
    /// half as many for each fourfold size, up to 512 KiB. A thread keeps up to two
    /// magazines a class. Default: 64.
    pub fn magazine_blocks(mut self, blocks: usize) -> Self {
        self.magazine_blocks = blocks;
        self
    }

    /// Bound on the free blocks that the depot keeps, in bytes of payload. Threads
    /// keep theirs besides: see [`magazine_blocks`](Self::magazine_blocks).
    /// Default: 64 MiB.
    pub fn max_cached_bytes(mut self, bytes: usize) -> Self {
        self.max_cached_bytes = bytes;
        self
    }

    /// How long free blocks stay with a pool that does not use them. Looked at when
    /// threads exchange magazines with the depot, so a pool in use does it by
    /// itself; one that is idle needs [`maintain`](GlobalPool::maintain). Default:
    /// 10 seconds; `None` for never.
    pub fn idle_decay(mut self, after: Option<Duration>) -> Self {
        self.idle_decay = after;
        self
    }

    /// Limit on the bytes rented at a time, in bytes of blocks. The pool gets a
    /// [`Budget`] with this limit, below the one given to [`budget`](Self::budget)
    /// if there is one. Default: none.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// A budget that blocks are charged to, from rent to last release. Default:
    /// none.
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// When the content of blocks is overwritten. Default: never.
    pub fn wipe(mut self, wipe: Wipe) -> Self {
        self.wipe = wipe;
        self
    }

    /// Keeps a backtrace of one rental in so many, for as long as its block is out:
    /// see [`GlobalPool::holders`]. 1 is all of them, 0 none. Default: 0.
    ///
    /// A backtrace costs several microseconds, some kilobytes, and a lock of the
    /// standard library under which it allocates: leave them off if the global
    /// allocator itself rents from this pool.
    #[cfg(feature = "holders")]
    pub fn backtraces(mut self, one_in: usize) -> Self {
        self.sampling = Sampling::one_in(one_in);
        self
    }

    /// A name, for people.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// For tests: every block is an allocation of its own, freed at its last
    /// release, so that memory checkers see each use of a block after that. Slow.
    pub fn pass_through(mut self, pass_through: bool) -> Self {
        self.pass_through = pass_through;
        self
    }

    /// Makes the pool. If the allocator refuses its 45 KiB, ends the process as
    /// `Box::new` does.
    ///
    /// # Errors
    /// [`InvalidSettings`], with the numbers.
    pub fn build(self) -> Result<P, InvalidSettings> {
        let budget = self.own_budget();
        let settings = self.check()?;
        match Shared::create(settings) {
            Some(shared) => Ok(GlobalPool::of(shared, budget).into()),
            None => handle_alloc_error(Layout::new::<Shared>()),
        }
    }

    fn own_budget(&self) -> Option<Budget> {
        let Some(max_bytes) = self.max_bytes else {
            return self.budget.clone();
        };
        let mut builder = Budget::builder(max_bytes);
        if let Some(parent) = &self.budget {
            builder = builder.parent(parent);
        }
        if let Some(name) = &self.name {
            builder = builder.name(name.clone());
        }
        Some(builder.build().expect("default marks are in order"))
    }

    fn check(self) -> Result<Settings, InvalidSettings> {
        let Self {
            sizes, alignment, ..
        } = &self;
        if sizes.is_empty() || sizes.len() > MAX_ORDINARY {
            return Err(InvalidSettings::ClassCount {
                given: sizes.len(),
                max: MAX_ORDINARY,
            });
        }
        let mut before = 0;
        for size in sizes.iter().copied() {
            if size <= before {
                return Err(InvalidSettings::ClassOrder { size, before });
            }
            before = size;
        }
        if !alignment.is_power_of_two() || *alignment > MAX_ALIGNMENT {
            return Err(InvalidSettings::Alignment {
                alignment: *alignment,
            });
        }
        if !(1..=MAX_MAGAZINE_BLOCKS).contains(&self.magazine_blocks) {
            return Err(InvalidSettings::MagazineBlocks {
                blocks: self.magazine_blocks,
            });
        }
        let contiguous = self.contiguous_sizes()?;
        // Runs of the test suites under memory checkers have no other pools.
        let pass_through = self.pass_through || cfg!(bytesbuf_pass_through);
        let alignment = (*alignment).max(MIN_ALIGNMENT);
        let classes = ClassTable::new(
            sizes,
            &contiguous,
            alignment,
            self.magazine_blocks,
            self.max_cached_bytes,
            pass_through,
        )
        .ok_or(InvalidSettings::TooLarge {
            largest: before,
            alignment,
        })?;
        Ok(Settings {
            classes,
            alignment,
            max_cached_bytes: self.max_cached_bytes,
            idle_decay: self.idle_decay,
            pass_through,
            wipe: self.wipe,
            sampling: self.sampling,
            name: self.name,
        })
    }

    /// Classes above the largest ordinary one: fourfold sizes, the last one as
    /// asked for.
    fn contiguous_sizes(&self) -> Result<Vec<u32>, InvalidSettings> {
        let mut sizes = Vec::new();
        let bound = self.max_pooled_contiguous;
        let goal = bound.unwrap_or(DEFAULT_POOLED_CONTIGUOUS);
        let mut largest = self.sizes.last().copied().unwrap_or(0);
        while largest < goal {
            if self.sizes.len() + sizes.len() == MAX_CLASSES {
                return match bound {
                    Some(bytes) => Err(InvalidSettings::PooledContiguous {
                        bytes,
                        max: largest,
                    }),
                    None => Ok(sizes),
                };
            }
            largest = largest.saturating_mul(4).min(goal);
            sizes.push(largest);
        }
        Ok(sizes)
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(builder: GlobalPoolBuilder, expected: &str) {
        let error = builder.build().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn nonsense_is_refused_with_its_numbers() {
        let builder = GlobalPoolBuilder::<GlobalPool>::new;
        check(
            builder().size_classes([]),
            "0 size classes: between 1 and 5 are possible",
        );
        check(
            builder().size_classes([1, 2, 3, 4, 5, 6]),
            "6 size classes: between 1 and 5 are possible",
        );
        check(
            builder().size_classes([0]),
            "a size class of 0 bytes after one of 0: sizes must ascend from 1",
        );
        check(
            builder().size_classes([64, 64]),
            "a size class of 64 bytes after one of 64: sizes must ascend from 1",
        );
        check(
            builder().alignment(0),
            "an alignment of 0 bytes is not a power of two up to 2^30",
        );
        check(
            builder().alignment(1 << 31),
            "an alignment of 2147483648 bytes is not a power of two up to 2^30",
        );
        check(
            builder().magazine_blocks(0),
            "magazines of 0 blocks: between 1 and 4096 are possible",
        );
        check(
            builder().max_pooled_contiguous(u32::MAX),
            "contiguous blocks of 4294967295 bytes cannot be pooled: at most 16777216 bytes with \
             these size classes",
        );
    }

    #[test]
    fn what_is_just_possible_is_accepted() {
        #[track_caller]
        fn check(builder: GlobalPoolBuilder) -> Settings {
            builder.check().unwrap()
        }
        let builder = GlobalPoolBuilder::<GlobalPool>::new;
        let classes = check(builder().size_classes([1, 2, 3, 4, 5])).classes;
        assert_eq!(classes.used().count(), MAX_CLASSES);
        // A slab is at least twice its alignment: there is no more in 32 bits. Under miri
        // it has four blocks.
        let largest = match (usize::BITS, cfg!(miri)) {
            (64.., _) => 1 << 30,
            (_, false) => 1 << 29,
            (_, true) => 1 << 27,
        };
        assert_eq!(check(builder().alignment(largest)).alignment, largest);
        assert_eq!(check(builder().alignment(1)).alignment, MIN_ALIGNMENT);
        check(builder().magazine_blocks(1));
        check(builder().magazine_blocks(4096));
        check(builder().max_pooled_contiguous(16 << 20));
    }

    #[test]
    fn contiguous_classes_fill_the_gap() {
        let sizes = |builder: GlobalPoolBuilder| builder.contiguous_sizes().unwrap();
        assert_eq!(sizes(GlobalPoolBuilder::new()), [1 << 18, 1 << 20]);
        let builder = GlobalPoolBuilder::<GlobalPool>::new().max_pooled_contiguous(100_000);
        assert_eq!(sizes(builder), [100_000]);
        let builder = GlobalPoolBuilder::<GlobalPool>::new().size_classes([1, 2, 3]);
        assert_eq!(sizes(builder), [12, 48, 192, 768, 3072]);
        let builder = GlobalPoolBuilder::<GlobalPool>::new().max_pooled_contiguous(0);
        assert!(sizes(builder).is_empty());
    }
}
