//! From a provider of blocks to a provider of buffers.

use bytesbuf_core::{BlockProvider, ReserveError};

use super::{Memory, check_delivery, check_request};
use crate::BytesBuf;
use crate::error::panics;

/// A [`BlockProvider`] as a full [`Memory`].
///
/// The one call that connects a crate which depends on `bytesbuf-core` alone with
/// this one. Whatever the provider does, its blocks are accounted for: if it
/// fails, panics or delivers too little, those handed over so far go back to it.
///
/// `BlockProvider` is implemented by `&P`, `Box<P>` and `Arc<P>` too, so a
/// provider can be lent or shared: `ProviderMemory::new(&arena)`.
///
/// # Examples
/// ```
/// use bytesbuf::mem::{Block, BlockProvider, ProviderMemory, ReserveError};
///
/// /// A device that has been unplugged.
/// #[derive(Debug, Clone)]
/// struct Unplugged;
///
/// impl BlockProvider for Unplugged {
///     fn provide(&self, min_bytes: usize, _: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
///         match min_bytes {
///             0 => Ok(()),
///             _ => Err(ReserveError::Refused("the device is gone")),
///         }
///     }
/// }
///
/// let memory = ProviderMemory::new(Unplugged);
/// let error = memory.try_reserve(100).unwrap_err();
/// assert_eq!(error.to_string(), "the memory provider refused: the device is gone");
/// assert_eq!(memory.reserve(0).capacity(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct ProviderMemory<P> {
    provider: P,
}

impl<P: BlockProvider> ProviderMemory<P> {
    /// Puts `provider` to use. No allocation.
    #[must_use]
    pub const fn new(provider: P) -> Self {
        Self { provider }
    }

    /// The provider.
    #[must_use]
    pub const fn get_ref(&self) -> &P {
        &self.provider
    }

    /// The provider, taken back. Its blocks stay where they are.
    #[must_use]
    pub fn into_inner(self) -> P {
        self.provider
    }

    /// See [`Memory::reserve`].
    ///
    /// # Panics
    /// In the cases in which [`try_reserve`](Self::try_reserve) fails, with the
    /// text of the error.
    #[must_use]
    pub fn reserve(&self, min_bytes: usize) -> BytesBuf {
        match self.try_reserve(min_bytes) {
            Ok(buf) => buf,
            Err(error) => panics::reserve_failed(&error),
        }
    }

    /// See [`Memory::try_reserve`].
    ///
    /// # Errors
    /// * [`ReserveError::TooLarge`] above `isize::MAX` bytes; the provider is not
    ///   asked.
    /// * [`ReserveError::BrokenProvider`] if the provider reports success but
    ///   has handed over too little.
    /// * The provider's own error.
    pub fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        // Owns the blocks from the moment they are handed over: if the provider
        // fails or unwinds, dropping it gives them back.
        let mut buf = BytesBuf::new();
        let mut places = Ok(());
        self.provider.provide(min_bytes, &mut |block| {
            // How many there will be only the provider knows. Without a place for it, a
            // block goes back.
            if places.is_ok() {
                places = buf.try_places(1);
            }
            if places.is_ok() {
                buf.push_block_back(block);
            }
        })?;
        places?;
        check_delivery(min_bytes, buf)
    }
}

impl<P: BlockProvider> Memory for ProviderMemory<P> {
    #[inline]
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve(min_bytes)
    }

    #[inline]
    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        self.try_reserve(min_bytes)
    }
}
