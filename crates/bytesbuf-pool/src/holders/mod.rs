//! Who holds the blocks that are out, for people who look for a leak.
//!
//! With the feature `holders`, each block that is lent is entered in the pool's
//! ledger (`ledger`), and struck out at its last release. What users see of it is
//! here: handles with a tag, and a snapshot of the ledger by tag.
//!
//! It is a feature for finding out, not one to leave on: each rental reads the
//! clock, and each rental and each release takes a lock of the ledger and hashes an
//! address. Without the feature there is no tag, no ledger, no lock and no branch.

mod backtrace;
mod table;

use std::backtrace::Backtrace;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(not(bytesbuf_loom))]
pub(crate) use self::backtrace::capture;
use crate::GlobalPool;
use crate::ledger::Tag;

/// Most samples of a group that a snapshot keeps: those of its oldest blocks.
const SAMPLES: usize = 3;

/// The blocks that are rented and not yet released, grouped by tag. From
/// [`GlobalPool::holders`].
///
/// Printed (`{}`), it is a table with a line for each tag, most bytes first.
/// Printed with `{:#}`, the backtraces follow.
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::new();
/// let parser = pool.tagged("parser");
/// let _kept = (parser.rent(1000)?, parser.rent(1000)?);
/// let _other = pool.rent(60_000)?;
///
/// let holders = pool.holders();
/// assert_eq!((holders.blocks(), holders.bytes()), (3, 67_584));
/// let parser = holders.of("parser").unwrap();
/// assert_eq!((parser.blocks(), parser.bytes()), (2, 2048));
/// println!("{holders}");
/// // tag           blocks         bytes     oldest
/// // (no tag)           1         65536      1.3µs
/// // parser             2          2048      4.2µs
/// // total              3         67584      4.2µs
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Holders {
    /// Most bytes first.
    groups: Vec<HolderGroup>,
    unrecorded: usize,
    pool: Option<Box<str>>,
}

/// The blocks that were rented through handles with the same tag: see [`Holders`].
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::new();
/// let _block = pool.rent(1000)?;
/// let holders = pool.holders();
/// let group = &holders.groups()[0];
/// assert_eq!((group.tag(), group.blocks(), group.bytes()), (None, 1, 1024));
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HolderGroup {
    tag: Option<Arc<str>>,
    blocks: usize,
    bytes: usize,
    oldest: Duration,
    /// Oldest first.
    samples: Vec<HolderSample>,
}

/// A block of which it is known where it was rented: see
/// [`GlobalPoolBuilder::backtraces`](crate::GlobalPoolBuilder::backtraces).
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::builder().backtraces(1).build()?;
/// let _block = pool.rent(1000)?;
/// let holders = pool.holders();
/// let sample = &holders.groups()[0].samples()[0];
/// assert_eq!(sample.bytes(), 1024);
/// println!("for {:?}, rented at\n{}", sample.age(), sample.backtrace());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HolderSample {
    bytes: usize,
    age: Duration,
    backtrace: Arc<Backtrace>,
}

/// What the ledger says of a block. Cheap to clone, without an allocation.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) tag: Option<Arc<str>>,
    pub(crate) bytes: usize,
    pub(crate) since: Instant,
    pub(crate) backtrace: Option<Arc<Backtrace>>,
}

impl GlobalPool {
    /// A handle of the same pool, with the same budget, for whose blocks `tag`
    /// answers: the name of a component, or of a connection. Takes the place of the
    /// tag of this handle.
    ///
    /// One allocation here, unless it is given an `Arc<str>`; an atomic addition
    /// for each block that is rented.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf_pool::GlobalPool;
    ///
    /// let pool = GlobalPool::new();
    /// let peer = pool.tagged(format!("peer {}", 7));
    /// assert_eq!(peer.tag(), Some("peer 7"));
    /// ```
    #[must_use]
    pub fn tagged(&self, tag: impl Into<Arc<str>>) -> Self {
        let mut pool = self.clone();
        pool.set_tag(Tag::new(tag.into()));
        pool
    }

    /// The tag of this handle.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.own_tag().get()
    }

    /// The blocks of this pool that are rented and not yet released, whatever handle
    /// they were rented through.
    ///
    /// Exact while nobody else rents and releases, otherwise of one moment for each
    /// of a few parts of the ledger. Takes each part's lock for as long as it takes
    /// to copy it; time in proportion to the number of blocks.
    #[must_use]
    pub fn holders(&self) -> Holders {
        let (records, unrecorded) = self.shared().ledger().read();
        Holders {
            groups: group(records, Instant::now()),
            unrecorded,
            pool: self.name().map(Into::into),
        }
    }
}

impl Holders {
    /// The groups, those with the most bytes first.
    #[must_use]
    pub fn groups(&self) -> &[HolderGroup] {
        &self.groups
    }

    /// The group of a tag, if it has any blocks.
    #[must_use]
    pub fn of(&self, tag: &str) -> Option<&HolderGroup> {
        self.groups.iter().find(|group| group.tag() == Some(tag))
    }

    /// Blocks of all groups.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.groups.iter().map(HolderGroup::blocks).sum()
    }

    /// Bytes of all groups, in bytes of blocks.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let bytes = self.groups.iter().map(HolderGroup::bytes);
        bytes.fold(0, usize::saturating_add)
    }

    /// Blocks that are out and in no group: there was no memory for a record when
    /// they were rented.
    #[must_use]
    pub const fn unrecorded(&self) -> usize {
        self.unrecorded
    }

    /// Whether no block is out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.unrecorded == 0
    }

    /// What [`assert_no_outstanding!`](crate::assert_no_outstanding) does.
    ///
    /// # Panics
    /// If a block is out.
    #[track_caller]
    pub fn assert_empty(&self) {
        if !self.is_empty() {
            let name = self.pool.as_deref().unwrap_or("(no name)");
            panic!("blocks of the pool {name} are outstanding:\n{self:#}");
        }
    }
}

impl HolderGroup {
    /// The tag of the handles that the blocks were rented through; `None` if they
    /// had none.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// How many blocks.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.blocks
    }

    /// Their bytes, in bytes of blocks.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Time since the oldest of them was rented.
    #[must_use]
    pub const fn oldest(&self) -> Duration {
        self.oldest
    }

    /// Where some of them were rented: the oldest few of those that were sampled,
    /// oldest first.
    #[must_use]
    pub fn samples(&self) -> &[HolderSample] {
        &self.samples
    }

    /// Of records with the same tag, at least one, oldest first.
    fn of(records: &[Record], now: Instant) -> Self {
        let age = |record: &Record| now.saturating_duration_since(record.since);
        let sampled = records.iter().filter_map(|record| {
            Some(HolderSample {
                bytes: record.bytes,
                age: age(record),
                backtrace: record.backtrace.clone()?,
            })
        });
        let bytes = records.iter().map(|record| record.bytes);
        Self {
            tag: records[0].tag.clone(),
            blocks: records.len(),
            bytes: bytes.fold(0, usize::saturating_add),
            oldest: age(&records[0]),
            samples: sampled.take(SAMPLES).collect(),
        }
    }
}

impl HolderSample {
    /// Bytes of the block.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Time since it was rented.
    #[must_use]
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// Where it was rented. The first frames are the pool's own.
    pub fn backtrace(&self) -> &Backtrace {
        &self.backtrace
    }
}

fn group(mut records: Vec<Record>, now: Instant) -> Vec<HolderGroup> {
    records.sort_by(|a, b| a.tag.cmp(&b.tag).then(a.since.cmp(&b.since)));
    let groups = records.chunk_by(|a, b| a.tag == b.tag);
    let mut groups: Vec<_> = groups.map(|group| HolderGroup::of(group, now)).collect();
    // Stable: equal ones stay in the order of their tags.
    groups.sort_by_key(|group| Reverse(group.bytes));
    groups
}

/// Panics if blocks of a pool are rented and not yet released, with a table of who
/// holds them. For the end of a test.
///
/// Takes a pool: a `GlobalPool` of this crate or of `bytesbuf::mem`. A moment
/// without rentals and releases is for the caller to see to: join the threads.
///
/// # Panics
/// If a block is out.
///
/// # Examples
/// ```
/// use bytesbuf_pool::{GlobalPool, assert_no_outstanding};
///
/// let pool = GlobalPool::new();
/// drop(pool.tagged("header").rent(100)?);
/// assert_no_outstanding!(pool);
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
///
/// ```should_panic
/// # use bytesbuf_pool::{GlobalPool, assert_no_outstanding};
/// let pool = GlobalPool::new();
/// let _forgotten = pool.tagged("header").rent(100);
/// assert_no_outstanding!(pool);
/// ```
#[macro_export]
macro_rules! assert_no_outstanding {
    ($pool:expr $(,)?) => {
        $crate::Holders::assert_empty(&($pool).holders())
    };
}
