//! Right providers of several kinds, and what each of them gives.

use std::cell::OnceCell;
use std::num::NonZero;

use arbitrary::Arbitrary;
use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{
    Block, BlockProvider, Budget, BudgetedMemory, GlobalPool, Memory, ProviderMemory, ReserveError,
};
use bytesbuf_arena::Arena;

use crate::lender::{Tally, lend};

/// Which provider.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    Pool,
    /// The same pool through a handle with a budget.
    Limited,
    /// Blocks of 1 to 40 bytes.
    Small(u8),
    /// Just what is asked for.
    Transparent,
    /// Twenty slots of 32 bytes.
    Arena,
    /// Several blocks of different sizes with metadata.
    Uneven,
    /// Fails if asked for more than 50 bytes.
    Refusing,
    /// Blocks of 16 bytes, charged to a budget of 400.
    Charged,
}

/// What a request must end with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refusal {
    TooLarge,
    OverBudget,
    Refused,
}

impl Refusal {
    #[track_caller]
    pub(crate) fn check(self, error: &ReserveError) {
        let is = match error {
            ReserveError::TooLarge { .. } => Self::TooLarge,
            ReserveError::OverBudget { .. } => Self::OverBudget,
            ReserveError::Refused(_) => Self::Refused,
            other => panic!("{other} instead of {self:?}"),
        };
        assert_eq!(is, self, "{error}");
    }
}

/// The text of each refusal as a panic.
pub(crate) const CANNOT: &str = "cannot reserve memory";

/// An unfilled part of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// In bytes.
    pub(crate) len: usize,
    /// Size of the whole block in its metadata, if it has any.
    pub(crate) meta: Option<usize>,
}

/// Sizes of the pool's blocks in bytes.
const CLASSES: [usize; 3] = [64, 256, 1024];
const SLOTS: usize = 20;
const SLOT: usize = 32;
/// Sizes of blocks in bytes, repeated until the request is covered.
const UNEVEN: [usize; 6] = [5, 1, 9, 2, 31, 64];
const REFUSED_ABOVE: usize = 50;
const CHARGED: usize = 16;

/// Providers that are made when they are first used.
#[derive(Debug)]
pub(crate) struct Memories {
    pass_through: bool,
    pool: OnceCell<GlobalPool>,
    limit: Budget,
    arena: OnceCell<Arena>,
    charges: Budget,
    uneven: Tally,
    refusing: Tally,
}

impl Memories {
    /// `pass_through` is a mode of the pool.
    pub(crate) fn new(pass_through: bool) -> Self {
        Self {
            pass_through,
            pool: OnceCell::new(),
            limit: Budget::new(3000),
            arena: OnceCell::new(),
            charges: Budget::new(400),
            uneven: Tally::default(),
            refusing: Tally::default(),
        }
    }

    pub(crate) fn pool(&self) -> &GlobalPool {
        self.pool.get_or_init(|| {
            GlobalPool::builder()
                .size_classes(CLASSES.map(|size| size as u32))
                .magazine_blocks(4)
                .pass_through(self.pass_through)
                .build()
                .expect("valid settings")
        })
    }

    fn arena(&self) -> &Arena {
        self.arena.get_or_init(|| {
            let number = |n: usize| NonZero::new(n as u32).expect("not zero");
            Arena::new(7, number(SLOTS), number(SLOT)).expect("a small arena")
        })
    }

    pub(crate) fn get(&self, source: Source) -> Box<dyn Memory> {
        match source {
            Source::Pool => Box::new(self.pool().clone()),
            Source::Limited => Box::new(self.pool().with_budget(&self.limit)),
            Source::Small(size) => Box::new(fixed(small(size))),
            Source::Transparent => Box::new(TransparentMemory::new()),
            Source::Arena => Box::new(ProviderMemory::new(self.arena().clone())),
            Source::Uneven => Box::new(ProviderMemory::new(Uneven(self.uneven.clone()))),
            Source::Refusing => Box::new(ProviderMemory::new(Refusing(self.refusing.clone()))),
            Source::Charged => Box::new(BudgetedMemory::new(fixed(CHARGED), &self.charges)),
        }
    }

    /// The blocks that a source would lend now for `min_bytes` bytes.
    pub(crate) fn forecast(&self, source: Source, min_bytes: usize) -> Result<Vec<Room>, Refusal> {
        if min_bytes > isize::MAX as usize {
            return Err(Refusal::TooLarge);
        }
        let same = |size: usize| vec![size; min_bytes.div_ceil(size)];
        let pooled = || match CLASSES.iter().find(|&&size| min_bytes <= size) {
            _ if min_bytes == 0 => Vec::new(),
            Some(&size) => vec![size],
            None => same(CLASSES[CLASSES.len() - 1]),
        };
        let sizes = match source {
            Source::Pool => pooled(),
            Source::Limited => within(&self.limit, pooled())?,
            Source::Small(size) => same(small(size)),
            Source::Transparent => same(min_bytes.max(1)),
            Source::Arena if min_bytes > SLOTS * SLOT => return Err(Refusal::TooLarge),
            Source::Arena if min_bytes.div_ceil(SLOT) > self.arena().slots_free() => {
                return Err(Refusal::OverBudget);
            }
            Source::Arena => same(SLOT),
            Source::Uneven => uneven(min_bytes).collect(),
            Source::Refusing if min_bytes > REFUSED_ABOVE => return Err(Refusal::Refused),
            Source::Refusing => same(min_bytes.max(1)),
            Source::Charged if min_bytes > self.charges.available() => {
                return Err(Refusal::OverBudget);
            }
            Source::Charged => within(&self.charges, same(CHARGED))?,
        };
        let has_meta = matches!(source, Source::Uneven | Source::Refusing);
        let room = |len| Room {
            len,
            meta: has_meta.then_some(len),
        };
        Ok(sizes.into_iter().map(room).collect())
    }

    /// A number of bytes to ask a source for, when `have` are there: what would really be
    /// allocated is bounded, all else becomes something that no memory can give.
    pub(crate) fn askable(source: Source, wanted: usize, have: usize) -> usize {
        const LARGEST: usize = 4000;
        let fails = matches!(source, Source::Arena | Source::Refusing | Source::Charged);
        if wanted.saturating_sub(have) <= LARGEST || fails {
            wanted
        } else if wanted % 2 == 0 {
            usize::MAX - wanted / 2 % 256
        } else {
            have + isize::MAX as usize + 1
        }
    }

    /// Bytes in use of each provider that keeps accounts: of the pool, charged to the
    /// budget of its handle, of the arena, charged for blocks of 16 bytes; then the
    /// numbers of blocks of `Uneven` and of `Refusing`.
    pub(crate) fn in_use(&self) -> [usize; 6] {
        [
            self.pool
                .get()
                .map_or(0, |pool| pool.stats().bytes_in_use()),
            self.limit.in_use(),
            self.arena
                .get()
                .map_or(0, |arena| (SLOTS - arena.slots_free()) * SLOT),
            self.charges.in_use(),
            self.uneven.out(),
            self.refusing.out(),
        ]
    }

    /// Nothing is out any more.
    pub(crate) fn end(self) {
        assert_eq!(self.in_use(), [0; 6], "blocks or charges are lost");
        if let Some(pool) = self.pool.get() {
            pool.trim();
            let stats = pool.stats();
            assert_eq!(
                (stats.bytes_cached(), stats.bytes_allocated()),
                (0, 0),
                "after trim"
            );
        }
    }
}

fn small(size: u8) -> usize {
    1 + usize::from(size) % 40
}

fn fixed(size: usize) -> FixedBlockMemory {
    FixedBlockMemory::new(NonZero::new(size as u32).expect("not zero"))
}

/// The blocks, if a budget has room for all of them.
fn within(budget: &Budget, sizes: Vec<usize>) -> Result<Vec<usize>, Refusal> {
    if sizes.iter().sum::<usize>() > budget.available() {
        return Err(Refusal::OverBudget);
    }
    Ok(sizes)
}

fn uneven(min_bytes: usize) -> impl Iterator<Item = usize> {
    let mut missing = min_bytes;
    UNEVEN.iter().copied().cycle().take_while(move |&size| {
        let wanted = missing > 0;
        missing = missing.saturating_sub(size);
        wanted
    })
}

#[derive(Debug)]
struct Uneven(Tally);

impl BlockProvider for Uneven {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        for size in uneven(min_bytes) {
            sink(lend(
                NonZero::new(size as u32).expect("not zero"),
                size % 3,
                &self.0,
            ));
        }
        Ok(())
    }
}

/// Lends half of what it was asked for before it fails.
#[derive(Debug)]
struct Refusing(Tally);

impl BlockProvider for Refusing {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        let len = min_bytes.min(REFUSED_ABOVE);
        if let Some(size) = NonZero::new(len as u32) {
            sink(lend(size, 1, &self.0));
        }
        if min_bytes > REFUSED_ABOVE {
            return Err(ReserveError::Refused("more than it has"));
        }
        Ok(())
    }
}
