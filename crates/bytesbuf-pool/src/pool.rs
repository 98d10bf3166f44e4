//! The handle of a pool.
#![expect(unsafe_code, reason = "a counted handle of the shared object")]

use std::fmt;
use std::num::NonZero;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

use bytesbuf_core::{Block, BlockProvider, ReserveError};

use crate::budget::{Budget, Charge};
use crate::builder::GlobalPoolBuilder;
use crate::header::PoolBlock;
use crate::ledger::{Ledger, Tag};
use crate::settings::Wipe;
use crate::shared::Shared;
use crate::size_class::Class;
use crate::stats::PoolStats;
use crate::{attended, lease, local};

/// A pool of blocks that all threads use without waiting for each other.
///
/// Clones are handles of the same pool. Blocks may be dropped on any thread, at
/// any time, also after the last handle. See the [crate](crate) for how it works.
///
/// # Examples
/// ```
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::new();
/// let block = pool.rent(100)?;
/// assert_eq!(block.len().get(), 1024);
/// assert_eq!(pool.stats().bytes_in_use(), 1024);
///
/// drop(block); // cached for the next one
/// assert_eq!(pool.stats().bytes_in_use(), 0);
/// assert_eq!(pool.stats().bytes_cached(), 1024);
///
/// pool.trim(); // back to the allocator
/// assert_eq!(pool.stats().bytes_cached(), 0);
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
pub struct GlobalPool {
    /// Alive: the handle count of the shared object includes this one (P1).
    shared: NonNull<Shared>,
    /// Charged for what is rented through this handle.
    budget: Option<Budget>,
    /// Whether blocks of this handle are lent as `attended` ones.
    attended: bool,
    /// The largest request that [`rent_at_hand`](Self::rent_at_hand) may serve: of one
    /// block, that needs no attention. None, otherwise.
    at_hand: usize,
    /// Whom they belong to; of no size without the feature `holders`.
    tag: Tag,
}

// SAFETY: the shared object is Send and Sync and counts its handles atomically; so is
// a budget (asserted below).
unsafe impl Send for GlobalPool {}
// SAFETY: as above.
unsafe impl Sync for GlobalPool {}

// No panic leaves a pool in an inconsistent state: nothing in it runs foreign code
// half-way through a change.
impl UnwindSafe for GlobalPool {}
impl RefUnwindSafe for GlobalPool {}

impl GlobalPool {
    /// Makes a pool of its own, without blocks: block sizes of 1, 4, 16 and 64 KiB,
    /// and what [`builder`](Self::builder) has as defaults.
    ///
    /// If the allocator refuses its 45 KiB, ends the process as `Box::new` does.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a pool that comes into being by accident serves nobody"
    )]
    pub fn new() -> Self {
        match GlobalPoolBuilder::<Self>::new().build() {
            Ok(pool) => pool,
            Err(error) => unreachable!("the defaults are valid: {error}"),
        }
    }

    /// Settings of a pool to be.
    pub fn builder() -> GlobalPoolBuilder {
        GlobalPoolBuilder::new()
    }

    /// The first handle of a shared object.
    pub(crate) fn of(shared: NonNull<Shared>, budget: Option<Budget>) -> Self {
        let mut pool = Self {
            shared,
            budget,
            attended: false,
            at_hand: 0,
            tag: Tag::NONE,
        };
        pool.set_attended(pool.needs_attention());
        pool
    }

    fn set_attended(&mut self, attended: bool) {
        self.attended = attended;
        self.at_hand = if attended { 0 } else { self.largest_block() };
    }

    fn needs_attention(&self) -> bool {
        Ledger::ON || self.budget.is_some() || self.shared().settings().wipe != Wipe::Never
    }

    /// A handle of the same pool that charges a budget for what is rented through
    /// it: one for each connection, say. Two or three words, an atomic addition or
    /// two.
    ///
    /// # Panics
    /// If this handle has a budget already and the new one is not below it: what
    /// is rented would escape the limit. Make it with [`Budget::child`].
    ///
    /// # Examples
    /// ```
    /// use bytesbuf_pool::GlobalPool;
    ///
    /// let pool = GlobalPool::builder().max_bytes(1 << 20).build()?;
    /// let connection = pool.budget().unwrap().child(100_000);
    /// let handle = pool.with_budget(&connection);
    /// let block = handle.rent(60_000)?;
    /// assert_eq!((connection.in_use(), pool.budget().unwrap().in_use()), (65_536, 65_536));
    /// handle.rent(60_000).unwrap_err();
    /// pool.rent(60_000)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_budget(&self, budget: &Budget) -> Self {
        if let Some(above) = &self.budget {
            assert!(
                budget.is_below(above),
                "{budget:?} is not below the pool's {above:?}"
            );
        }
        let mut pool = self.clone();
        pool.budget = Some(budget.clone());
        pool.set_attended(true);
        pool
    }

    /// What is charged for blocks that are rented through this handle.
    #[must_use]
    pub const fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }

    /// Rents one block of uninitialised memory: the smallest that holds `min_bytes`
    /// bytes, or the largest ordinary one if none does. Dropping the last reference
    /// to it gives it back.
    ///
    /// If this thread has a free block of that size, and this is the pool it used
    /// last: a thread-local access and a pop, no lock, no atomic
    /// read-modify-write, no allocation. Otherwise the depot is asked, then the
    /// slabs, then the global allocator.
    ///
    /// # Errors
    /// [`ReserveError::OutOfMemory`] if no free block is at hand and the global
    /// allocator has no memory; [`ReserveError::OverBudget`] if this handle has a
    /// budget without room for the block.
    #[inline]
    pub fn rent(&self, min_bytes: usize) -> Result<Block, ReserveError> {
        let class = self.shared().classes().for_request(min_bytes);
        if self.attended {
            return self.rent_attended(class);
        }
        Ok(lease::lend(self.take(class)?))
    }

    /// A block as [`rent`](Self::rent) gives, if `min_bytes` is more than zero, one
    /// block holds them, this thread has one at hand, and nothing has to be charged or
    /// wiped: the fast path of `rent` alone. `None` says nothing about whether `rent`
    /// would succeed.
    #[inline]
    #[must_use]
    pub fn rent_at_hand(&self, min_bytes: usize) -> Option<Block> {
        if min_bytes.wrapping_sub(1) >= self.at_hand {
            return None;
        }
        let class = self.shared().classes().for_request(min_bytes);
        let hit = local::with_hot(self.shared, (), |cache, ()| cache.pop(class).ok_or(()));
        hit.ok().map(lease::lend)
    }

    /// Rents one block of the smallest size that holds `min_bytes`, or as many of the
    /// largest ordinary one as it takes; nothing for nothing. `sink` gets them one by one.
    ///
    /// With a budget, all of them are charged before the first is rented. The same as
    /// [`provide`](BlockProvider::provide), but that the compiler sees what becomes of a block.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] above `isize::MAX` bytes, before anything is
    /// rented; otherwise as [`rent`](Self::rent).
    #[inline]
    pub fn rent_many(&self, min_bytes: usize, sink: impl FnMut(Block)) -> Result<(), ReserveError> {
        let charge = self.charge(self.footprint(min_bytes)?)?;
        self.provide_charged(min_bytes, charge, sink)
    }

    #[cold]
    fn rent_attended(&self, class: Class) -> Result<Block, ReserveError> {
        let charge = self.charge(self.shared().block_size(class))?;
        Ok(attended::lend(self.take(class)?, charge, &self.tag))
    }

    fn charge(&self, bytes: usize) -> Result<Option<Charge>, ReserveError> {
        let budget = self.budget.as_ref();
        budget.map(|budget| budget.try_charge(bytes)).transpose()
    }

    /// Rents one block that holds `bytes` bytes, however many those are: of a size
    /// class, up to the largest that is pooled (1 MiB, see
    /// [`max_pooled_contiguous`](GlobalPoolBuilder::max_pooled_contiguous)), or
    /// else an allocation of its own of exactly this size, freed at its last
    /// release.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] above `u32::MAX` bytes, or `isize::MAX` where that is
    /// less, otherwise as [`rent`](Self::rent).
    pub fn rent_contiguous(&self, bytes: usize) -> Result<Block, ReserveError> {
        // The low 32 bits: all of them set where a `usize` has more.
        const MAX: u32 = isize::MAX as u32;
        let Ok(size @ ..=MAX) = u32::try_from(bytes) else {
            return Err(ReserveError::TooLarge {
                requested: bytes,
                max: MAX as usize,
            });
        };
        let class = self.shared().classes().for_contiguous(size);
        let charged = class.map_or(bytes, |class| self.shared().block_size(class));
        let charge = self.charge(charged)?;
        let block = match (class, NonZero::new(size)) {
            (None, Some(size)) => {
                // SAFETY: P1: this handle lives for longer than the call.
                let rented = unsafe { lease::rent_direct(self.shared, size) };
                rented.inspect_err(|_| self.shared().direct().refused())?
            }
            (class, _) => self.take(class.unwrap_or(Class::FIRST))?,
        };
        Ok(if self.attended {
            attended::lend(block, charge, &self.tag)
        } else if block.is_direct() {
            lease::lend_direct(block)
        } else {
            lease::lend(block)
        })
    }

    /// Bytes in the largest block that [`rent`](Self::rent) gives.
    #[must_use]
    #[inline]
    pub fn largest_block(&self) -> usize {
        self.shared().classes().largest()
    }

    /// Gives all free blocks back: those in the depot and those of all threads,
    /// idle ones too. Returns the bytes that the global allocator got; a slab (half
    /// a mebibyte to four, or one block, whichever is more) goes back when no block of
    /// it is in use.
    ///
    /// A thread that is renting or releasing at this very moment keeps its blocks
    /// until its next slow path; so do all other threads where the system has no
    /// asymmetric fence (anything but Linux).
    ///
    /// Locks the list of threads, makes one system call for all of them, takes a lock a
    /// magazine, and makes a system call a slab that goes back. Threads that rent or
    /// release meanwhile may wait for it.
    pub fn trim(&self) -> usize {
        self.shared().trim()
    }

    /// Like [`trim`](Self::trim), but only what is cached above `max_bytes` bytes of
    /// payload: first from the depot, large blocks before small ones, then from
    /// threads. Whole magazines, so less than that may be left. Threads out of reach
    /// (see [`trim`](Self::trim)) that are come upon before enough has been given back
    /// give back all they have, later.
    pub fn trim_to(&self, max_bytes: usize) -> usize {
        self.shared().trim_to(max_bytes)
    }

    /// Gives back what nobody has used since the last call: magazines of the depot
    /// that were not needed, and those of threads that did nothing. Returns the
    /// bytes that the global allocator got.
    ///
    /// A pool in use does this by itself (see
    /// [`idle_decay`](GlobalPoolBuilder::idle_decay)). There is no hidden thread: a
    /// program that goes idle calls this from a timer of its own, twice for
    /// everything to go. With the feature `metrics`, it publishes the figures as well.
    pub fn maintain(&self) -> usize {
        let freed = self.shared().tick();
        #[cfg(feature = "metrics")]
        self.publish_metrics();
        freed
    }

    /// The name given to the builder.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.shared().settings().name.as_deref()
    }

    /// Figures of the pool: exact while no other thread uses it, close otherwise.
    /// Takes locks that `rent` and the release of a block do not take while
    /// magazines serve them; time proportional to the number of threads that use
    /// the pool.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        PoolStats::of(self.shared(), self.budget())
    }

    /// Bytes of the blocks that a request takes: what it is charged.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] above `isize::MAX` bytes.
    pub fn footprint(&self, min_bytes: usize) -> Result<usize, ReserveError> {
        const MAX: usize = isize::MAX as usize;
        if min_bytes == 0 {
            return Ok(0);
        }
        if min_bytes > MAX {
            return Err(ReserveError::TooLarge {
                requested: min_bytes,
                max: MAX,
            });
        }
        let (class, blocks) = self.shared().classes().blocks_for(min_bytes);
        Ok(blocks.saturating_mul(self.shared().block_size(class)))
    }

    /// Rents the blocks of a request, for which `charge` has been charged, if this
    /// handle charges anything.
    pub(crate) fn provide_charged(
        &self,
        min_bytes: usize,
        mut charge: Option<Charge>,
        mut sink: impl FnMut(Block),
    ) -> Result<(), ReserveError> {
        let footprint = self.footprint(min_bytes)?;
        let class = self.shared().classes().for_request(min_bytes);
        let size = self.shared().block_size(class);
        for _ in 0..footprint / size {
            let block = self.take(class)?;
            sink(if self.attended {
                let share = charge.as_mut().and_then(|charge| charge.split(size));
                attended::lend(block, share, &self.tag)
            } else {
                lease::lend(block)
            });
        }
        Ok(())
    }

    #[inline]
    fn take(&self, class: Class) -> Result<PoolBlock, ReserveError> {
        let fast = local::with_hot(self.shared, (), |cache, ()| cache.pop(class).ok_or(()));
        match fast {
            Ok(block) => Ok(block),
            // SAFETY: P1: this handle lives for longer than the call.
            Err(()) => unsafe { lease::rent_slow(self.shared, class) },
        }
    }

    /// The shared object, for models that use thread caches of their own.
    #[cfg(test)]
    pub(crate) const fn raw(&self) -> NonNull<Shared> {
        self.shared
    }

    #[cfg(feature = "holders")]
    pub(crate) fn set_tag(&mut self, tag: Tag) {
        self.tag = tag;
    }

    #[cfg(feature = "holders")]
    pub(crate) const fn own_tag(&self) -> &Tag {
        &self.tag
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: P1: alive while a handle exists.
        unsafe { self.shared.as_ref() }
    }
}

/// See [`rent_many`](GlobalPool::rent_many).
impl BlockProvider for GlobalPool {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        self.rent_many(min_bytes, sink)
    }
}

impl Clone for GlobalPool {
    fn clone(&self) -> Self {
        self.shared().add_handle();
        Self {
            shared: self.shared,
            budget: self.budget.clone(),
            attended: self.attended,
            at_hand: self.at_hand,
            tag: self.tag.clone(),
        }
    }
}

/// The last handle closes the pool: free blocks go to the allocator, blocks that
/// are lent follow when they are released.
impl Drop for GlobalPool {
    fn drop(&mut self) {
        // SAFETY: this handle, which is not used again but to close the pool.
        if !unsafe { Shared::drop_handle(self.shared) } {
            return;
        }
        self.shared().close();
        local::pool_closed();
        // SAFETY: P1: the one reference of all handles, of which this was the last.
        unsafe { Shared::release(self.shared, 1) };
    }
}

impl fmt::Debug for GlobalPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("GlobalPool")
            .field("bytes_in_use", &stats.bytes_in_use())
            .field("bytes_cached", &stats.bytes_cached())
            .field("thread_caches", &stats.thread_caches())
            .finish()
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use static_assertions::{assert_impl_all, assert_not_impl_any};

    use super::*;

    assert_impl_all!(Budget: Send, Sync);
    assert_impl_all!(Charge: Send, Sync);
    assert_impl_all!(GlobalPool: Send, Sync, Unpin, Clone, UnwindSafe, RefUnwindSafe);
    assert_not_impl_any!(GlobalPool: Copy, Default);
}
