//! A provider of a type that nobody needs to know.

use alloc::sync::Arc;

use bytesbuf_core::ReserveError;

use super::{Memory, MemoryShared};
use crate::BytesBuf;

/// Any [`MemoryShared`] behind one concrete type.
///
/// Two words. Clones share the provider; cloning costs one atomic addition, a
/// request one indirect call.
///
/// # Examples
/// ```
/// # #[cfg(feature = "std")]
/// # {
/// use bytesbuf::mem::{GlobalPool, OpaqueMemory};
///
/// let memory = OpaqueMemory::new(GlobalPool::new());
/// let buf = memory.reserve(100);
/// assert!(buf.remaining_capacity() >= 100);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OpaqueMemory {
    inner: Arc<dyn MemoryShared>,
}

impl OpaqueMemory {
    /// Hides `inner`. One allocation.
    #[must_use]
    pub fn new(inner: impl MemoryShared) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// See [`Memory::reserve`].
    ///
    /// # Panics
    /// If the hidden provider panics: it has no memory.
    #[must_use]
    pub fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.inner.reserve(min_bytes)
    }

    /// See [`Memory::try_reserve`].
    ///
    /// # Errors
    /// Those of the hidden provider.
    pub fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        self.inner.try_reserve(min_bytes)
    }
}

impl Memory for OpaqueMemory {
    #[inline]
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve(min_bytes)
    }

    #[inline]
    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        self.try_reserve(min_bytes)
    }
}
