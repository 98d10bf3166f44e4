//! Waiting for budget before blocks are rented.

use std::future::Future;
use std::time::Duration;

use bytesbuf_core::{Block, ReserveError};

use crate::GlobalPool;
use crate::budget::Charge;

/// The right to rent the blocks of one request: they are charged already. From
/// [`GlobalPool::permit_timeout`] and [`GlobalPool::permit_async`].
///
/// Dropping it gives the charge back.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use bytesbuf_pool::GlobalPool;
///
/// let pool = GlobalPool::builder().max_bytes(1 << 20).build()?;
/// let permit = pool.permit_timeout(100_000, Duration::from_secs(1))?;
/// let mut blocks = Vec::new();
/// permit.provide(&mut |block| blocks.push(block))?;
/// assert_eq!(blocks.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping a permit gives its charge back"]
pub struct Permit {
    pool: GlobalPool,
    min_bytes: usize,
    /// `None` if nothing is charged on this handle.
    charge: Option<Charge>,
}

impl Permit {
    /// Rents the blocks of the request.
    ///
    /// # Errors
    /// [`ReserveError::OutOfMemory`], as [`GlobalPool::rent`]. Blocks that `sink`
    /// has are its own; all the rest is given back.
    pub fn provide(self, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        self.pool.provide_charged(self.min_bytes, self.charge, sink)
    }
}

impl GlobalPool {
    /// Waits until the blocks of a request can be charged, blocking this thread;
    /// does not wait on a handle without budget.
    ///
    /// # Errors
    /// As [`Budget::charge_timeout`](crate::Budget::charge_timeout), and
    /// [`ReserveError::TooLarge`] above `isize::MAX` bytes.
    pub fn permit_timeout(
        &self,
        min_bytes: usize,
        timeout: Duration,
    ) -> Result<Permit, ReserveError> {
        let bytes = self.footprint(min_bytes)?;
        let charge = match self.budget() {
            Some(budget) => Some(budget.charge_timeout(bytes, timeout)?),
            None => None,
        };
        Ok(self.permit(min_bytes, charge))
    }

    /// Waits until the blocks of a request can be charged, as a future that needs no
    /// particular runtime; done at the first poll on a handle without budget.
    ///
    /// First come, first served; dropping it at any time gives everything back. See
    /// [`Budget::charge_async`](crate::Budget::charge_async).
    ///
    /// # Errors
    /// As [`permit_timeout`](Self::permit_timeout), without a timeout.
    pub fn permit_async(
        &self,
        min_bytes: usize,
    ) -> impl Future<Output = Result<Permit, ReserveError>> + Send + use<> {
        let pool = self.clone();
        async move {
            let bytes = pool.footprint(min_bytes)?;
            let charge = match pool.budget() {
                Some(budget) => Some(budget.charge_async(bytes).await?),
                None => None,
            };
            Ok(pool.permit(min_bytes, charge))
        }
    }

    fn permit(&self, min_bytes: usize, charge: Option<Charge>) -> Permit {
        Permit {
            pool: self.clone(),
            min_bytes,
            charge,
        }
    }
}
