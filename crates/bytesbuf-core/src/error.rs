//! Why a reservation was refused.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

/// A reservation that could not be met. Nothing has changed: whatever was rented
/// on the way has been given back.
///
/// # Examples
/// ```
/// use bytesbuf_core::ReserveError;
///
/// let error = ReserveError::OverBudget { requested: 4096, in_use: 1000, limit: 2000 };
/// assert_eq!(
///     error.to_string(),
///     "reservation of 4096 bytes is over budget: 1000 of 2000 bytes are in use",
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReserveError {
    /// The allocator under the provider has no more memory.
    #[error("out of memory: the allocator refused {requested} bytes")]
    OutOfMemory {
        /// Bytes asked of the allocator.
        requested: usize,
    },
    /// Granting the request would exceed a limit on rented bytes.
    #[error(
        "reservation of {requested} bytes is over budget: {in_use} of {limit} bytes are in use"
    )]
    OverBudget {
        /// Bytes that would have been charged.
        requested: usize,
        /// Bytes charged at the moment of the refusal.
        in_use: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More than can be represented, or than the provider can ever give.
    #[error("reservation of {requested} bytes is too large: at most {max} bytes are possible")]
    TooLarge {
        /// Bytes asked for.
        requested: usize,
        /// The largest request that could be granted, in bytes.
        max: usize,
    },
    /// The provider answered a request with something else than asked: too little
    /// capacity, or a buffer with data in it.
    #[error(
        "the memory provider broke its contract: {requested} bytes requested, got a buffer with \
         {capacity} bytes of capacity and {len} bytes of data"
    )]
    BrokenProvider {
        /// Bytes asked for.
        requested: usize,
        /// Unfilled bytes delivered.
        capacity: usize,
        /// Bytes of data found in what should be empty; 0 in a correct answer.
        len: usize,
    },
    /// The provider's own reason, without more to it.
    #[error("the memory provider refused: {0}")]
    Refused(&'static str),
    /// The provider's own reason, as an error.
    #[cfg(feature = "alloc")]
    #[error("the memory provider failed: {0}")]
    Provider(#[source] Box<dyn core::error::Error + Send + Sync>),
}
