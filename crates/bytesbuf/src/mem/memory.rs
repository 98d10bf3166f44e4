//! The contract of a memory provider.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt::Debug;

use bytesbuf_core::ReserveError;

use super::{check_delivery, check_request};
use crate::BytesBuf;

/// A source of memory for byte sequences.
///
/// Object safe. `&M`, `Box<M>` and `Arc<M>` of a provider `M` are providers too,
/// for unsized `M` as well.
///
/// To write a provider, implement [`BlockProvider`](super::BlockProvider) of
/// `bytesbuf-core` and wrap it in [`ProviderMemory`](super::ProviderMemory).
/// Implement this trait directly to build on top of another provider.
///
/// # Examples
/// A provider that counts what is asked of another one:
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use bytesbuf::BytesBuf;
/// use bytesbuf::mem::Memory;
///
/// #[derive(Debug)]
/// struct Metered<M> {
///     inner: M,
///     requests: AtomicUsize,
/// }
///
/// impl<M: Memory> Memory for Metered<M> {
///     fn reserve(&self, min_bytes: usize) -> BytesBuf {
///         // Relaxed: partner of nothing; a figure.
///         self.requests.fetch_add(1, Ordering::Relaxed);
///         self.inner.reserve(min_bytes)
///     }
/// }
///
/// # #[cfg(feature = "std")]
/// # {
/// let memory = Metered { inner: bytesbuf::mem::GlobalPool::new(), requests: AtomicUsize::new(0) };
/// let buf = memory.reserve(100);
/// assert!(buf.is_empty() && buf.remaining_capacity() >= 100);
/// // Relaxed: partner of nothing; one thread.
/// assert_eq!(memory.requests.load(Ordering::Relaxed), 1);
/// # }
/// ```
pub trait Memory: Debug {
    /// An empty buffer with room for at least `min_bytes` bytes.
    ///
    /// The contract, for every provider:
    ///
    /// * The buffer is empty: `len()` is 0.
    /// * Its `remaining_capacity()` is at least `min_bytes`, in any number of
    ///   blocks of any size, and may be more. For 0 it may be anything,
    ///   including 0.
    /// * The memory is uninitialised, or holds whatever was in it before.
    ///
    /// Who asks does not rely on it for safety: a provider that breaks the
    /// contract leads to a panic or an error where its answer is used, never to
    /// wrong data.
    ///
    /// # Panics
    /// If the memory cannot be had. See [`try_reserve`](Self::try_reserve).
    fn reserve(&self, min_bytes: usize) -> BytesBuf;

    /// Like [`reserve`](Self::reserve), with an error in place of the panic.
    ///
    /// The provided implementation refuses requests that no memory can hold, and
    /// answers of `reserve` that break its contract. A provider that can run out
    /// of memory should implement this method and base `reserve` on it; one that
    /// wraps another provider should pass this call on to it. Otherwise
    /// `reserve` panics when memory runs out, and so does this method.
    ///
    /// # Errors
    /// [`ReserveError`]: the reason why there is no memory. Nothing is kept of a
    /// request that failed.
    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        check_delivery(min_bytes, self.reserve(min_bytes))
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<M: Memory + ?Sized> Memory for $pointer {
            #[inline]
            fn reserve(&self, min_bytes: usize) -> BytesBuf {
                (**self).reserve(min_bytes)
            }

            #[inline]
            fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
                (**self).try_reserve(min_bytes)
            }
        }
    )*};
}

forward!(&M, Box<M>, Arc<M>);
