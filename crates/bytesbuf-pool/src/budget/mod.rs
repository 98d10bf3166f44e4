//! A limit on bytes, with levels, and fair waiting for room.
//!
//! ```text
//!                process   1 GiB     ◄─┐
//!                   ▲                  │  a charge of n bytes is in
//!     listener :80  │  listener :443 ◄─┤  use at each of its levels
//!                   ▲                  │
//!               connection  64 KiB   ◄─┘  Charge { budget, bytes }
//! ```
//!
//! A [`Budget`] knows nothing of memory. Who rents something charges its bytes,
//! keeps the [`Charge`] with what was rented, and drops both together.
//!
//! # Contents
//! | module | what |
//! |---|---|
//! | `charge` | [`Charge`]: bytes in use until dropped |
//! | `future` | [`ChargeFuture`]: a request that waits; the climb from level to level |
//! | `level` | one level: the word, the invariants Q1 to Q6, granting |
//! | `queue` | who waits at a level |
//! | `wake` | waking who was granted; a thread that waits |
//! | `builder` | [`BudgetBuilder`], [`InvalidBudget`] |
//! | `pressure` | [`Pressure`] and its marks |
//! | `stats`, `figures` | [`BudgetStats`] and the counters behind it |

mod builder;
mod charge;
mod figures;
mod future;
mod level;
mod pressure;
mod queue;
mod stats;
mod wake;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytesbuf_core::ReserveError;

pub use self::builder::{BudgetBuilder, InvalidBudget};
pub use self::charge::Charge;
pub use self::future::ChargeFuture;
use self::level::{Level, Refusal};
pub use self::pressure::Pressure;
pub use self::stats::BudgetStats;
use self::wake::Parker;
use crate::sync::Arc;

/// A limit on bytes that anything can be charged to.
///
/// Budgets nest: what is charged to one is charged to all its ancestors, at every
/// level or at none. Clones are handles of the same budget. A budget lives as long
/// as a handle, a child, or a charge.
///
/// There are three ways to charge: [`try_charge`](Self::try_charge) refuses,
/// [`charge_timeout`](Self::charge_timeout) blocks, and
/// [`charge_async`](Self::charge_async) waits as a future. Who waits is served
/// first come, first served, at each level; as long as somebody waits at a level,
/// nobody else gets bytes there, however few. A request that is larger than a limit
/// is refused at once, and zero bytes are always granted.
///
/// What was done before a charge was dropped happens before what is done after a
/// charge that needed its bytes.
///
/// # Examples
/// ```
/// use bytesbuf_core::ReserveError;
/// use bytesbuf_pool::Budget;
///
/// let process = Budget::new(1_000_000);
/// let connection = process.child(10_000);
///
/// let charge = connection.try_charge(8_000)?;
/// assert_eq!((connection.in_use(), process.in_use()), (8_000, 8_000));
/// assert!(matches!(
///     connection.try_charge(4_000),
///     Err(ReserveError::OverBudget { requested: 4_000, in_use: 8_000, limit: 10_000 })
/// ));
///
/// drop(charge); // on any thread
/// assert_eq!(process.in_use(), 0);
/// # Ok::<(), ReserveError>(())
/// ```
pub struct Budget(Arc<Level>);

impl Budget {
    /// A budget of its own. A limit above `isize::MAX` bytes counts as that.
    ///
    /// Allocates as `Box::new` does.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self::plain(Self::builder(limit))
    }

    /// A budget with a name, a parent, or marks of its own.
    pub const fn builder(limit: usize) -> BudgetBuilder {
        BudgetBuilder::new(limit)
    }

    /// A budget below this one. Its limit may be larger than this one's: the
    /// smaller counts.
    #[must_use]
    pub fn child(&self, limit: usize) -> Self {
        Self::plain(Self::builder(limit).parent(self))
    }

    /// Charges the bytes at every level, or none.
    ///
    /// At each level a load (two if there is a parent) and a compare-and-swap, and
    /// one read-modify-write for the handle in the charge. No lock, no allocation. A refusal costs
    /// one read-modify-write, unless others interfere.
    ///
    /// # Errors
    /// [`ReserveError::OverBudget`] with the figures of the lowest level without
    /// room. While others wait there, all of its limit counts as in use.
    #[inline]
    pub fn try_charge(&self, bytes: usize) -> Result<Charge, ReserveError> {
        if bytes > 0 {
            if let Err(refusal) = self.charge_levels(bytes) {
                return Err(refusal.into_error(bytes));
            }
        }
        Ok(Charge::new(self.clone(), bytes))
    }

    /// Charges the bytes, blocking this thread until there is room at every level.
    /// [`Duration::MAX`] is for ever.
    ///
    /// Served in turn with everybody who waits, threads and futures. What has been
    /// charged at lower levels is held while waiting at a higher one.
    ///
    /// # Errors
    /// [`ReserveError::OverBudget`] at once if the bytes exceed a level's limit, and
    /// when time is up, with the figures of the level where the request waited.
    /// Then everything has been given back.
    /// [`ReserveError::OutOfMemory`] if there is no memory for a place in the queue.
    pub fn charge_timeout(&self, bytes: usize, timeout: Duration) -> Result<Charge, ReserveError> {
        if bytes == 0 || self.charge_levels(bytes).is_ok() {
            return Ok(Charge::new(self.clone(), bytes));
        }
        // Further away than clocks reach is for ever.
        let deadline = Instant::now().checked_add(timeout);
        let parker = Parker::new();
        let waker = Waker::from(parker.clone());
        let mut context = Context::from_waker(&waker);
        let mut request = self.charge_async(bytes);
        let mut in_time = true;
        loop {
            if let Poll::Ready(outcome) = Pin::new(&mut request).poll(&mut context) {
                return outcome;
            }
            if !in_time {
                return Err(request.give_up());
            }
            in_time = parker.park(deadline);
        }
    }

    /// Charges the bytes, waiting until there is room at every level.
    ///
    /// The future needs no particular runtime, and owns what it needs. It takes its
    /// place in the queue when first polled. Dropping it at any time gives everything
    /// back, and lets the next one through. One that is neither polled after
    /// it has been woken nor dropped keeps what it has been granted.
    ///
    /// What has been charged at lower levels is held while waiting at a higher one.
    ///
    /// # Errors
    /// Its output is [`ReserveError::OverBudget`], at the first poll, if the bytes
    /// exceed a level's limit; [`ReserveError::OutOfMemory`] if there is no memory
    /// for a place in the queue.
    pub fn charge_async(&self, bytes: usize) -> ChargeFuture {
        ChargeFuture::new(self.clone(), bytes)
    }

    /// Bytes that may be charged to this level.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.level().limit
    }

    /// Bytes that are charged to this level, directly or to one below.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.level().now().0
    }

    /// Bytes that could be charged at the moment: the least over this level and its
    /// ancestors. None while somebody waits at one of them.
    #[must_use]
    pub fn available(&self) -> usize {
        let rooms = self.levels().map(Level::available);
        rooms.min().unwrap_or(0)
    }

    /// The most bytes in use at this level so far.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.level().peak()
    }

    /// Requests that wait for room at this level. Takes a lock if there are any.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.level().waiting()
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.level().name.as_deref()
    }

    /// The level above.
    #[must_use]
    pub fn parent(&self) -> Option<&Self> {
        self.level().parent.as_ref()
    }

    /// Whether both are handles of one budget.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.level(), other.level())
    }

    /// Whether what is charged to this is charged to `other` as well: it is the same
    /// budget or an ancestor.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        self.levels()
            .any(|level| std::ptr::eq(level, other.level()))
    }

    /// How close to its limit this level is, or one above it: whichever is closest.
    /// Hard as long as somebody waits. One load a level: meant to be asked before
    /// each accept or read.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        let pressures = self.levels().map(Level::pressure);
        pressures.max().unwrap_or(Pressure::Low)
    }

    /// Figures of this level and those above. Each level is read on its own, while
    /// others go on charging.
    #[must_use]
    pub fn stats(&self) -> BudgetStats {
        BudgetStats::of(self)
    }

    /// Charges the bytes at every level, or none and says who refused.
    #[inline]
    fn charge_levels(&self, bytes: usize) -> Result<(), Refusal<'_>> {
        let level = self.level();
        match level.parent {
            None => level.try_charge(bytes),
            Some(_) => self.charge_chain(bytes),
        }
    }

    /// Looks first: what would be refused anyway writes nothing. If somebody gets in
    /// between, gives back what it has.
    fn charge_chain(&self, bytes: usize) -> Result<(), Refusal<'_>> {
        for level in self.levels() {
            level.check(bytes)?;
        }
        for (charged, level) in self.levels().enumerate() {
            if let Err(refusal) = level.try_charge(bytes) {
                Self::credit(self.levels().take(charged), bytes);
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Gives bytes back to levels, then wakes who now has enough: a request that is
    /// woken finds the room at all of them.
    #[inline]
    fn credit<'a>(levels: impl Iterator<Item = &'a Level> + Clone, bytes: usize) {
        let mut somebody_waits = false;
        for level in levels.clone() {
            somebody_waits |= level.credit(bytes);
        }
        if somebody_waits {
            Self::settle(levels);
        }
    }

    #[cold]
    fn settle<'a>(levels: impl Iterator<Item = &'a Level>) {
        // The bit that `credit` has seen is still there, or somebody has settled
        // since.
        for level in levels.filter(|level| level.now().1) {
            level.settle();
        }
    }

    /// This level, its parent, and so on.
    #[inline]
    fn levels(&self) -> Levels<'_> {
        Levels(Some(self))
    }

    #[inline]
    fn level(&self) -> &Level {
        &self.0
    }

    fn plain(builder: BudgetBuilder) -> Self {
        builder.build().expect("default marks are in order")
    }
}

/// From a level up to the root.
#[derive(Clone)]
struct Levels<'a>(Option<&'a Budget>);

impl<'a> Iterator for Levels<'a> {
    type Item = &'a Level;

    #[inline]
    fn next(&mut self) -> Option<&'a Level> {
        let level = self.0?.level();
        self.0 = level.parent.as_ref();
        Some(level)
    }
}

impl Clone for Budget {
    /// Another handle of the same budget.
    #[inline]
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("name", &self.name())
            .field("in_use", &self.in_use())
            .field("limit", &self.limit())
            .finish_non_exhaustive()
    }
}
