//! The pool, as a provider of buffers.

use core::fmt;
use core::num::NonZero;

use bytesbuf_core::ReserveError;
use bytesbuf_pool::{PoolStats, SizeClass};

use super::{Memory, check_request, probe_allocator};
use crate::BytesBuf;
use crate::error::panics;

/// Requests up to the largest class take one block.
const ONE: NonZero<usize> = NonZero::<usize>::MIN;

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

    /// See [`Memory::reserve`], and the table above for what it gives.
    ///
    /// # Panics
    /// In the cases in which [`try_reserve`](Self::try_reserve) fails, with the
    /// text of the error.
    #[must_use]
    #[inline]
    pub fn reserve(&self, min_bytes: usize) -> BytesBuf {
        // The common case builds the buffer where the caller wants it, not inside of
        // a `Result` first.
        if let Some((class, ONE)) = SizeClass::for_request(min_bytes) {
            return match self.0.rent(class) {
                Ok(block) => BytesBuf::from_block(block),
                Err(error) => panics::reserve_failed(&error),
            };
        }
        match self.try_reserve(min_bytes) {
            Ok(buf) => buf,
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
    /// [`ReserveError`]: too large for any memory, or the allocator has no more.
    #[inline]
    pub fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        match SizeClass::for_request(min_bytes) {
            None => Ok(BytesBuf::new()),
            Some((class, ONE)) => Ok(BytesBuf::from_block(self.0.rent(class)?)),
            Some((class, count)) => self.rent_many(class, count.get(), min_bytes),
        }
    }

    /// `count` blocks of `class`, or none.
    #[inline(never)]
    fn rent_many(
        &self,
        class: SizeClass,
        count: usize,
        min_bytes: usize,
    ) -> Result<BytesBuf, ReserveError> {
        probe_allocator(min_bytes)?;
        let mut buf = BytesBuf::new();
        for _ in 0..count {
            buf.push_block_back(self.0.rent(class)?);
        }
        Ok(buf)
    }

    /// What the pool holds and has done so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.0.stats()
    }
}

impl Memory for GlobalPool {
    #[inline]
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve(min_bytes)
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
