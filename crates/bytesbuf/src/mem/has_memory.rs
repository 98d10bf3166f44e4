//! Objects that know where their data is best allocated.

use core::fmt::Debug;

use super::MemoryShared;

/// An object that says from which provider the data meant for it should come.
///
/// A connection, a file or a device may be able to use data without a copy if it
/// lies in memory of its own. Whoever produces data for such an object asks it
/// for the provider first.
///
/// # Examples
/// ```
/// use bytesbuf::mem::{HasMemory, Memory, MemoryShared, OpaqueMemory};
///
/// #[derive(Debug)]
/// struct Connection {
///     memory: OpaqueMemory,
/// }
///
/// impl HasMemory for Connection {
///     fn memory(&self) -> impl MemoryShared {
///         self.memory.clone()
///     }
/// }
///
/// # #[cfg(feature = "std")]
/// # {
/// let memory = OpaqueMemory::new(bytesbuf::mem::GlobalPool::new());
/// let connection = Connection { memory };
/// let message = connection.memory().reserve(64);
/// assert!(message.remaining_capacity() >= 64);
/// # }
/// ```
pub trait HasMemory: Debug {
    /// The provider of memory for data meant for this object. The provider may
    /// outlive the object.
    fn memory(&self) -> impl MemoryShared;
}
