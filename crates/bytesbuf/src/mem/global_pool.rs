//! The pool, as a provider of buffers.

use core::fmt;
use core::time::Duration;

use bytesbuf_core::ReserveError;
use bytesbuf_pool::{Budget, GlobalPoolBuilder, Permit, PoolStats};

use super::{Memory, check_request, probe_allocator};
use crate::BytesBuf;
use crate::buf::Fields;
use crate::error::panics;

/// Pooled memory: blocks of 1, 4, 16 and 64 KiB that are kept for reuse.
///
/// | request | blocks |
/// |---|---|
/// | 0 | none |
/// | up to 1,024 bytes | one of 1,024 |
/// | up to 4,096 bytes | one of 4,096 |
/// | up to 16,384 bytes | one of 16,384 |
/// | `n` bytes above that | `n / 65,536`, rounded up, of 65,536 |
///
/// A handle: clones are the same pool, each [`new`](Self::new) is another one.
/// Any thread may use any handle, and drop any buffer or view; nothing needs to
/// be said when they move between threads. Buffers and views may outlive the
/// pool's last handle.
///
/// # Examples
/// ```
/// use bytesbuf::mem::GlobalPool;
///
/// let pool = GlobalPool::new();
/// let mut buf = pool.reserve(100);
/// assert_eq!(buf.capacity(), 1024);
/// buf.put_slice(*b"hello");
/// drop(pool);
/// assert_eq!(buf.consume_all(), b"hello");
/// ```
#[derive(Clone)]
pub struct GlobalPool(bytesbuf_pool::GlobalPool);

impl GlobalPool {
    /// A pool of its own, empty at first.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "which pool to use is a decision that should be seen"
    )]
    pub fn new() -> Self {
        Self(bytesbuf_pool::GlobalPool::new())
    }

    /// Settings of a pool to be: block sizes, alignment, bounds, a name.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let pages = GlobalPool::builder().alignment(4096).build()?;
    /// let mut buf = pages.reserve(100);
    /// let address = buf.first_unfilled_slice().as_ptr().addr();
    /// assert_eq!(address % 4096, 0);
    /// # Ok::<(), bytesbuf::mem::InvalidSettings>(())
    /// ```
    pub fn builder() -> GlobalPoolBuilder<Self> {
        GlobalPoolBuilder::new()
    }

    /// See [`Memory::reserve`], and the table above for what it gives.
    ///
    /// # Panics
    /// In the cases in which [`try_reserve`](Self::try_reserve) fails, with the
    /// text of the error.
    #[must_use]
    #[inline]
    pub fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve_here(min_bytes)
    }

    /// `reserve`, in its caller: where the buffer goes on to another place, as in
    /// [`BytesBuf::reserve`], it does so in registers.
    #[inline(always)]
    fn reserve_here(&self, min_bytes: usize) -> BytesBuf {
        // The common case builds the buffer where the caller wants it, not inside of
        // a `Result` first.
        match self.0.rent_at_hand(min_bytes) {
            Some(block) => BytesBuf::from_block(block),
            None => BytesBuf::from_fields(self.reserve_slow(min_bytes)),
        }
    }

    #[cold]
    #[inline(never)]
    fn reserve_slow(&self, min_bytes: usize) -> Fields {
        match self.try_reserve(min_bytes) {
            Ok(buf) => buf.into_fields(),
            Err(error) => panics::reserve_failed(&error),
        }
    }

    /// See [`Memory::try_reserve`], and the table above for what it gives.
    ///
    /// Up to 64 KiB: no allocation when the pool has a free block. Requests above
    /// 1 GiB are shown to the allocator as a whole before the first block is
    /// rented.
    ///
    /// # Errors
    /// [`ReserveError`]: too large for any memory, over the budget of this handle, or
    /// the allocator has no more.
    #[inline]
    pub fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        if self.fits_one_block(min_bytes) {
            return Ok(BytesBuf::from_block(self.0.rent(min_bytes)?));
        }
        self.rent_many(min_bytes)
    }

    /// A buffer of one block, so that what is put into it is one slice: of at least
    /// `bytes` bytes, however many those are. Nothing for 0.
    ///
    /// Blocks up to 1 MiB are kept for reuse, larger ones are an allocation each
    /// (see [`max_pooled_contiguous`](GlobalPoolBuilder::max_pooled_contiguous)).
    ///
    /// # Panics
    /// In the cases in which [`try_reserve_contiguous`](Self::try_reserve_contiguous)
    /// fails, with the text of the error.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let pool = GlobalPool::new();
    /// let mut buf = pool.reserve_contiguous(200_000);
    /// assert!(buf.first_unfilled_slice().len() >= 200_000);
    /// assert!(pool.reserve(200_000).first_unfilled_slice().len() < 200_000);
    /// ```
    #[must_use]
    pub fn reserve_contiguous(&self, bytes: usize) -> BytesBuf {
        match self.try_reserve_contiguous(bytes) {
            Ok(buf) => buf,
            Err(error) => panics::reserve_failed(&error),
        }
    }

    /// [`reserve_contiguous`](Self::reserve_contiguous) with an error in place of
    /// the panic.
    ///
    /// # Errors
    /// [`ReserveError`]: above `u32::MAX` bytes (`isize::MAX` on 32 bits), over the
    /// budget of this handle, or the allocator has no more.
    pub fn try_reserve_contiguous(&self, bytes: usize) -> Result<BytesBuf, ReserveError> {
        if bytes == 0 {
            return Ok(BytesBuf::new());
        }
        Ok(BytesBuf::from_block(self.0.rent_contiguous(bytes)?))
    }

    /// Like [`try_reserve`](Self::try_reserve), but waits until the budget of this
    /// handle has room, blocking the thread. Does not wait on a handle without
    /// budget.
    ///
    /// First come, first served, together with [`reserve_async`](Self::reserve_async).
    ///
    /// # Errors
    /// [`ReserveError::OverBudget`] when the time is up, or at once for a request
    /// that is larger than the limit; otherwise as `try_reserve`.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let pool = GlobalPool::builder().max_bytes(64 << 10).build()?;
    /// let all = pool.reserve(64 << 10);
    /// pool.reserve_timeout(1, Duration::from_millis(1)).unwrap_err();
    /// drop(all);
    /// let buf = pool.reserve_timeout(1, Duration::from_millis(1)).unwrap();
    /// assert_eq!(buf.capacity(), 1024);
    /// # Ok::<(), bytesbuf::mem::InvalidSettings>(())
    /// ```
    pub fn reserve_timeout(
        &self,
        min_bytes: usize,
        timeout: Duration,
    ) -> Result<BytesBuf, ReserveError> {
        let buf = self.with_places(min_bytes)?;
        gather(buf, self.0.permit_timeout(min_bytes, timeout)?)
    }

    /// Like [`try_reserve`](Self::try_reserve), but waits until the budget of this
    /// handle has room, as a future. Needs no particular runtime, and owns what it
    /// needs; dropping it at any time gives back what it has.
    ///
    /// # Errors
    /// [`ReserveError::OverBudget`] at once for a request that is larger than the
    /// limit; otherwise as `try_reserve`.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::{GlobalPool, ReserveError};
    ///
    /// async fn greet(pool: &GlobalPool) -> Result<bytesbuf::BytesView, ReserveError> {
    ///     let mut buf = pool.reserve_async(5).await?;
    ///     buf.put_slice(*b"hello");
    ///     Ok(buf.consume_all())
    /// }
    /// ```
    pub fn reserve_async(
        &self,
        min_bytes: usize,
    ) -> impl Future<Output = Result<BytesBuf, ReserveError>> + Send + use<> {
        let permit = self.0.permit_async(min_bytes);
        let buf = self.with_places(min_bytes);
        async move { gather(buf?, permit.await?) }
    }

    /// A handle of the same pool that charges a budget for what is reserved through
    /// it, from the reservation to the last view of it: one for each connection,
    /// say.
    ///
    /// # Panics
    /// If this handle has a budget already and the new one is not below it: what
    /// is reserved would escape the limit. Make it with [`Budget::child`].
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::{Budget, GlobalPool, ReserveError};
    ///
    /// let pool = GlobalPool::new();
    /// let process = Budget::new(1 << 30);
    /// let connection = process.child(16 << 10);
    /// let memory = pool.with_budget(&connection);
    ///
    /// let buf = memory.reserve(16_000);
    /// assert!(matches!(
    ///     memory.try_reserve(1),
    ///     Err(ReserveError::OverBudget { requested: 1024, in_use: 16_384, limit: 16_384 })
    /// ));
    /// drop(buf);
    /// assert_eq!(process.in_use(), 0);
    /// ```
    #[must_use]
    pub fn with_budget(&self, budget: &Budget) -> Self {
        Self(self.0.with_budget(budget))
    }

    /// What is charged for reservations through this handle.
    #[must_use]
    pub const fn budget(&self) -> Option<&Budget> {
        self.0.budget()
    }

    /// A handle of the same pool, with the same budget, for whose blocks `tag`
    /// answers: the name of a component, or of a connection. Takes the place of the
    /// tag of this handle.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::{GlobalPool, assert_no_outstanding};
    ///
    /// let pool = GlobalPool::new();
    /// let parser = pool.tagged("parser");
    /// let buf = parser.reserve(3000);
    /// assert_eq!(pool.holders().of("parser").unwrap().bytes(), 4096);
    /// drop(buf);
    /// assert_no_outstanding!(pool);
    /// ```
    #[cfg(feature = "holders")]
    #[must_use]
    pub fn tagged(&self, tag: impl Into<alloc::sync::Arc<str>>) -> Self {
        Self(self.0.tagged(tag))
    }

    /// The tag of this handle.
    #[cfg(feature = "holders")]
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.0.tag()
    }

    /// Who holds the blocks of this pool that are not yet back, whatever handle they
    /// were reserved through: a table by tag, if printed. Time in proportion to
    /// their number.
    #[cfg(feature = "holders")]
    #[must_use]
    pub fn holders(&self) -> bytesbuf_pool::Holders {
        self.0.holders()
    }

    #[inline]
    fn fits_one_block(&self, min_bytes: usize) -> bool {
        min_bytes.wrapping_sub(1) < self.0.largest_block()
    }

    /// An empty buffer with places for the blocks of a request that can be met.
    fn with_places(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        probe_allocator(min_bytes)?;
        let mut buf = BytesBuf::new();
        buf.try_places(min_bytes.div_ceil(self.0.largest_block()))?;
        Ok(buf)
    }

    /// No block, or several.
    #[inline(never)]
    fn rent_many(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        let mut buf = self.with_places(min_bytes)?;
        self.0
            .rent_many(min_bytes, |block| buf.push_to_fresh(block))?;
        Ok(buf)
    }

    /// Gives all free blocks back to the allocator, also those that idle threads
    /// keep. Returns the bytes that it got.
    ///
    /// A thread that is in the middle of an operation gives its blocks back later;
    /// outside of Linux so do all other threads.
    pub fn trim(&self) -> usize {
        self.0.trim()
    }

    /// [`trim`](Self::trim) of what is cached above `max_bytes` bytes.
    pub fn trim_to(&self, max_bytes: usize) -> usize {
        self.0.trim_to(max_bytes)
    }

    /// Gives back what nobody has used since the last call. For a timer of programs
    /// that go idle: a pool in use does it by itself every ten seconds.
    pub fn maintain(&self) -> usize {
        self.0.maintain()
    }

    /// What the pool holds and has done so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.0.stats()
    }

    /// Hands the figures of this pool, and of the budget of this handle, to the
    /// recorder of the `metrics` crate: see [`PoolStats::publish`].
    #[cfg(feature = "metrics")]
    pub fn publish_metrics(&self) {
        self.0.publish_metrics();
    }

    /// Tells the recorder of the `metrics` crate what the figures mean and what
    /// their units are. Once, after it has been installed.
    #[cfg(feature = "metrics")]
    pub fn describe_metrics() {
        bytesbuf_pool::GlobalPool::describe_metrics();
    }
}

/// The blocks of a request, in a buffer that has places for them.
fn gather(mut buf: BytesBuf, permit: Permit) -> Result<BytesBuf, ReserveError> {
    permit.provide(&mut |block| buf.push_block_back(block))?;
    Ok(buf)
}

/// A pool from the builder, as a provider of buffers.
impl From<bytesbuf_pool::GlobalPool> for GlobalPool {
    fn from(pool: bytesbuf_pool::GlobalPool) -> Self {
        Self(pool)
    }
}

impl Memory for GlobalPool {
    #[inline]
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve_here(min_bytes)
    }

    #[inline]
    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        self.try_reserve(min_bytes)
    }
}

impl fmt::Debug for GlobalPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
