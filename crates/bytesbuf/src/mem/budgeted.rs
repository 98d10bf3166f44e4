//! A limit on any memory.

use core::time::Duration;

use bytesbuf_core::ReserveError;
use bytesbuf_pool::{Budget, Charge};

use super::{Memory, charged_block, check_delivery, check_request};
use crate::BytesBuf;
use crate::error::panics;

/// A memory whose reservations are charged to a [`Budget`], from the reservation to the
/// last reference, whoever drops it.
///
/// Charged is the capacity that the memory delivers, which may be more than what was
/// asked for. Costs one allocation a block; a [`GlobalPool`](super::GlobalPool)
/// charges without one, see its
/// [`with_budget`](super::GlobalPool::with_budget). Clones charge the same budget.
///
/// # Examples
/// ```
/// use bytesbuf::mem::{Budget, BudgetedMemory, CallbackMemory, GlobalPool, Memory, ReserveError};
///
/// let pool = GlobalPool::new();
/// let with_trailer = CallbackMemory::new(move |min_bytes| pool.reserve(min_bytes + 16));
/// let budget = Budget::new(5000);
/// let memory = BudgetedMemory::new(with_trailer, &budget);
///
/// let mut buf = memory.reserve(1000);
/// assert_eq!(budget.in_use(), 1024);
/// buf.put_slice(*b"hello");
/// let view = buf.consume_all();
/// drop(buf);
/// assert!(matches!(
///     memory.try_reserve(1024), // 1040 with the trailer: a block of 4096 bytes
///     Err(ReserveError::OverBudget { in_use: 2048, limit: 5000, .. }) // 1024 twice
/// ));
/// drop(view);
/// assert_eq!(budget.in_use(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct BudgetedMemory<M> {
    memory: M,
    budget: Budget,
}

impl<M: Memory> BudgetedMemory<M> {
    /// Charges a budget for what is reserved of a memory.
    #[must_use]
    pub fn new(memory: M, budget: &Budget) -> Self {
        Self {
            memory,
            budget: budget.clone(),
        }
    }

    /// What is charged.
    #[must_use]
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Like [`Memory::try_reserve`], but waits until the budget has room, blocking the
    /// thread.
    ///
    /// # Errors
    /// [`ReserveError::OverBudget`] when the time is up, or at once for a request that is
    /// larger than the limit; otherwise as `try_reserve`.
    pub fn reserve_timeout(
        &self,
        min_bytes: usize,
        timeout: Duration,
    ) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        let start = std::time::Instant::now();
        let mut bytes = min_bytes;
        loop {
            let left = timeout.saturating_sub(start.elapsed());
            let charge = self.budget.charge_timeout(bytes, left)?;
            match self.deliver(min_bytes, charge)? {
                Delivery::Done(buf) => return Ok(buf),
                Delivery::Larger(capacity, _) => bytes = capacity,
            }
        }
    }

    /// Like [`Memory::try_reserve`], but waits until the budget has room. Needs no
    /// particular runtime; dropping the future at any time gives back what it has.
    ///
    /// # Errors
    /// [`ReserveError::OverBudget`] at once for a request that is larger than the limit;
    /// otherwise as `try_reserve`.
    pub async fn reserve_async(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        let mut bytes = min_bytes;
        loop {
            let charge = self.budget.charge_async(bytes).await?;
            match self.deliver(min_bytes, charge)? {
                Delivery::Done(buf) => return Ok(buf),
                Delivery::Larger(capacity, _) => bytes = capacity,
            }
        }
    }

    /// Reserves, and charges what the capacity is more than the charge. An answer that
    /// cannot be charged or lent on is dropped, so its blocks go back.
    fn deliver(&self, min_bytes: usize, mut charge: Charge) -> Result<Delivery, ReserveError> {
        let raw = check_delivery(min_bytes, self.memory.try_reserve(min_bytes)?)?;
        let capacity = raw.remaining_capacity();
        let more = capacity.saturating_sub(charge.bytes());
        match self.budget.try_charge(more) {
            Ok(rest) => charge.merge(rest),
            Err(error) => return Ok(Delivery::Larger(capacity, error)),
        }
        let mut buf = BytesBuf::new();
        buf.try_places(1 + raw.later().map_or(0, |later| later.len()))?;
        raw.into_open_blocks(|open| {
            let share = charge.split(open.len).expect("all of it is charged");
            buf.push_block_back(charged_block::lend(open, share)?);
            Ok(())
        })?;
        Ok(Delivery::Done(buf))
    }
}

impl<M: Memory> Memory for BudgetedMemory<M> {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        match self.try_reserve(min_bytes) {
            Ok(buf) => buf,
            Err(error) => panics::reserve_failed(&error),
        }
    }

    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        let charge = self.budget.try_charge(min_bytes)?;
        match self.deliver(min_bytes, charge)? {
            Delivery::Done(buf) => Ok(buf),
            Delivery::Larger(_, error) => Err(error),
        }
    }
}

enum Delivery {
    Done(BytesBuf),
    /// The memory gives this much, for which there is no room now.
    Larger(usize, ReserveError),
}
