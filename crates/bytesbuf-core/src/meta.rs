//! Typed metadata that a provider may attach to its blocks.

use core::any::Any;
use core::fmt::Debug;

/// Marks a type as block metadata.
///
/// A provider that knows something about its blocks that matters to whoever
/// does I/O on them (a registered buffer index, a device, a NUMA node) exposes
/// it as a value of its own type. Consumers see `&dyn BlockMeta` and ask for
/// the types they know.
///
/// # Examples
/// ```
/// use bytesbuf_core::BlockMeta;
///
/// #[derive(Debug)]
/// struct RegisteredBuffer { index: u16 }
/// impl BlockMeta for RegisteredBuffer {}
///
/// let meta: &dyn BlockMeta = &RegisteredBuffer { index: 7 };
/// assert!(meta.is::<RegisteredBuffer>());
/// assert_eq!(meta.downcast_ref::<RegisteredBuffer>().unwrap().index, 7);
/// assert!(meta.downcast_ref::<u64>().is_none());
/// ```
pub trait BlockMeta: Any + Send + Sync + Debug {}

impl dyn BlockMeta {
    /// Whether the metadata is a `T`. One indirect call.
    #[must_use]
    pub fn is<T: Any>(&self) -> bool {
        (self as &dyn Any).is::<T>()
    }

    /// The metadata as a `T`, or `None` if it is of another type.
    /// One indirect call.
    #[must_use]
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}
