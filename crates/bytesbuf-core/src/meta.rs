//! Typed metadata that a provider may attach to its blocks.
//!
//! # Invariants
//! * **A1** The type id that a `dyn BlockMeta` reports through its supertrait is that
//!   of its concrete type: nobody can implement `Any` otherwise.
#![expect(
    unsafe_code,
    reason = "a checked downcast; coercion to `dyn Any` needs a newer compiler"
)]

use core::any::{Any, TypeId};
use core::fmt::Debug;
use core::ptr;

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
        self.type_id() == TypeId::of::<T>()
    }

    /// The metadata as a `T`, or `None` if it is of another type.
    /// One indirect call.
    #[must_use]
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        if !self.is::<T>() {
            return None;
        }
        // SAFETY: A1: the value is a `T`, borrowed as long as the result.
        Some(unsafe { &*ptr::from_ref(self).cast::<T>() })
    }
}
