//! What the author of a memory provider implements.

use core::fmt::Debug;

use crate::{Block, ReserveError};

/// A source of blocks.
///
/// The one trait a memory provider needs. It asks for nothing of the layers
/// above: a crate that depends on `bytesbuf-core` alone becomes a full memory
/// provider of the `bytesbuf` facade by wrapping a value in its
/// `mem::ProviderMemory`.
///
/// # Examples
/// ```
/// use bytesbuf_core::{Block, BlockProvider, ReserveError};
///
/// /// Refuses everything; for tests of what happens then.
/// #[derive(Debug)]
/// struct Nothing;
///
/// impl BlockProvider for Nothing {
///     fn provide(&self, min_bytes: usize, _: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
///         match min_bytes {
///             0 => Ok(()),
///             requested => Err(ReserveError::OverBudget { requested, in_use: 0, limit: 0 }),
///         }
///     }
/// }
///
/// assert!(Nothing.provide(1, &mut |_| ()).is_err());
/// ```
pub trait BlockProvider: Debug {
    /// Hands blocks with a total of at least `min_bytes` bytes to `sink`, in the
    /// order in which they are to be filled. Any number of blocks of any size;
    /// for 0 bytes, none is fine.
    ///
    /// # Errors
    /// A [`ReserveError`] if the request cannot be met. Blocks handed over before
    /// that are dropped by the receiver and so come back.
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError>;
}

macro_rules! forward {
    ($($(#[$attr:meta])* $pointer:ty),*) => {$(
        $(#[$attr])*
        impl<P: BlockProvider + ?Sized> BlockProvider for $pointer {
            #[inline]
            fn provide(
                &self,
                min_bytes: usize,
                sink: &mut dyn FnMut(Block),
            ) -> Result<(), ReserveError> {
                (**self).provide(min_bytes, sink)
            }
        }
    )*};
}

forward!(
    &P,
    #[cfg(feature = "alloc")]
    alloc::boxed::Box<P>,
    #[cfg(feature = "alloc")]
    alloc::sync::Arc<P>
);
