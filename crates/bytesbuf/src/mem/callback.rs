//! A function as a provider.

use alloc::sync::Arc;
use core::fmt;

use bytesbuf_core::ReserveError;

use super::Memory;
use crate::BytesBuf;

/// A [`Memory`] that calls a function for each request.
///
/// Clones share the function. Cloning costs one atomic addition, a request one
/// direct call.
///
/// # Examples
/// ```
/// # #[cfg(feature = "std")]
/// # {
/// use bytesbuf::mem::{CallbackMemory, GlobalPool};
///
/// let pool = GlobalPool::new();
/// // Room for a trailer in every buffer.
/// let memory = CallbackMemory::new(move |min_bytes| pool.reserve(min_bytes + 16));
/// assert!(memory.reserve(1024).remaining_capacity() >= 1040);
/// # }
/// ```
pub struct CallbackMemory<FReserve>
where
    FReserve: Fn(usize) -> BytesBuf + Send + Sync + 'static,
{
    reserve_fn: Arc<FReserve>,
}

impl<FReserve> CallbackMemory<FReserve>
where
    FReserve: Fn(usize) -> BytesBuf + Send + Sync + 'static,
{
    /// A provider that answers with what `reserve_fn` returns, which is bound by
    /// the contract of [`Memory::reserve`]. One allocation.
    #[must_use]
    pub fn new(reserve_fn: FReserve) -> Self {
        Self {
            reserve_fn: Arc::new(reserve_fn),
        }
    }

    /// See [`Memory::reserve`].
    ///
    /// # Panics
    /// If the function panics.
    #[must_use]
    pub fn reserve(&self, min_bytes: usize) -> BytesBuf {
        (self.reserve_fn)(min_bytes)
    }

    /// See [`Memory::try_reserve`]. The function is not called with more than
    /// `isize::MAX` bytes, and what it returns is checked.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`], or [`ReserveError::BrokenProvider`] if the
    /// function's answer breaks the contract.
    ///
    /// # Panics
    /// If the function panics: it has no other way to say that it has no memory.
    pub fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        Memory::try_reserve(self, min_bytes)
    }
}

impl<FReserve> Memory for CallbackMemory<FReserve>
where
    FReserve: Fn(usize) -> BytesBuf + Send + Sync + 'static,
{
    #[inline]
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve(min_bytes)
    }
}

/// Shares the function.
impl<FReserve> Clone for CallbackMemory<FReserve>
where
    FReserve: Fn(usize) -> BytesBuf + Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        Self {
            reserve_fn: Arc::clone(&self.reserve_fn),
        }
    }
}

impl<FReserve> fmt::Debug for CallbackMemory<FReserve>
where
    FReserve: Fn(usize) -> BytesBuf + Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackMemory")
            .field("reserve_fn", &"Fn(usize) -> BytesBuf")
            .finish()
    }
}
