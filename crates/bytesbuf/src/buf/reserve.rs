//! Getting capacity.

use bytesbuf_core::ReserveError;

use super::BytesBuf;
use crate::error::panics;
use crate::mem::Memory;

impl BytesBuf {
    /// Makes [`remaining_capacity`](Self::remaining_capacity) at least
    /// `additional_bytes`. Asks the provider for what is missing to that, and for
    /// nothing if there is enough. New blocks come behind all existing capacity.
    ///
    /// # Panics
    /// If the provider has no memory, or breaks its contract (a buffer with data in
    /// it, or with too little capacity), or if the capacity would exceed
    /// `usize::MAX`. The buffer is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesBuf;
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let pool = GlobalPool::new();
    /// let mut buf = BytesBuf::new();
    /// buf.reserve(2000, &pool);
    /// assert!(buf.remaining_capacity() >= 2000);
    /// ```
    #[inline]
    #[track_caller]
    pub fn reserve<M: Memory + ?Sized>(&mut self, additional_bytes: usize, memory_provider: &M) {
        if additional_bytes > self.first_unfilled_len() {
            self.reserve_more(additional_bytes, memory_provider);
        }
    }

    /// `reserve` where the current block may not have enough.
    #[track_caller]
    fn reserve_more<M: Memory + ?Sized>(&mut self, additional_bytes: usize, memory: &M) {
        let Some(missing) = self.missing(additional_bytes) else {
            return;
        };
        self.check_total(missing);
        let fresh = memory.reserve(missing);
        if let Err(error) = self.accept(fresh, missing) {
            panics::reserve_failed(&error);
        }
    }

    /// Like [`reserve`](Self::reserve), or an error.
    ///
    /// # Errors
    /// If the provider has no memory or breaks its contract, or if the capacity
    /// would exceed `usize::MAX`. The buffer is unchanged then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesBuf;
    /// use bytesbuf::mem::{GlobalPool, ReserveError};
    ///
    /// let mut buf = BytesBuf::new();
    /// let refused = buf.try_reserve(usize::MAX, &GlobalPool::new());
    /// assert!(matches!(refused, Err(ReserveError::TooLarge { .. })));
    /// ```
    #[inline]
    pub fn try_reserve<M: Memory + ?Sized>(
        &mut self,
        additional_bytes: usize,
        memory_provider: &M,
    ) -> Result<(), ReserveError> {
        let Some(missing) = self.missing(additional_bytes) else {
            return Ok(());
        };
        if self.capacity().checked_add(missing).is_none() {
            return Err(ReserveError::TooLarge {
                requested: additional_bytes,
                max: usize::MAX - self.len(),
            });
        }
        let fresh = memory_provider.try_reserve(missing)?;
        self.accept(fresh, missing)
    }

    #[inline]
    fn missing(&self, additional_bytes: usize) -> Option<usize> {
        additional_bytes
            .checked_sub(self.remaining_capacity())
            .filter(|&missing| missing > 0)
    }

    #[inline]
    #[track_caller]
    fn check_total(&self, missing: usize) {
        if self.capacity().checked_add(missing).is_none() {
            panics::capacity_overflow(self.capacity(), missing);
        }
    }

    /// Takes what a provider answered to a request for `missing` bytes, if it is
    /// what the contract of [`Memory::reserve`] promises.
    #[inline]
    fn accept(&mut self, fresh: Self, missing: usize) -> Result<(), ReserveError> {
        if fresh.is_one_block_of(missing) && self.is_vacant() {
            // The capacity is that of one block: it cannot overflow.
            self.fill_with_block_of(fresh);
            return Ok(());
        }
        self.accept_any(fresh, missing)
    }

    /// `accept` of other than one block for a buffer without anything.
    #[inline(never)]
    fn accept_any(&mut self, mut fresh: Self, missing: usize) -> Result<(), ReserveError> {
        let delivered = fresh.remaining_capacity();
        if !fresh.is_empty() || delivered < missing {
            return Err(ReserveError::BrokenProvider {
                requested: missing,
                capacity: delivered,
                len: fresh.len(),
            });
        }
        if self.capacity().checked_add(delivered).is_none() {
            return Err(ReserveError::TooLarge {
                requested: delivered,
                max: usize::MAX - self.capacity(),
            });
        }
        if self.first_unfilled_len() > 0 {
            let blocks = 1 + fresh.later().map_or(0, |later| later.len());
            self.try_places(blocks)?;
        } else if self.filled_len() > 0 {
            self.try_place_for_frozen()?;
        }
        self.absorb(&mut fresh);
        Ok(())
    }
}
