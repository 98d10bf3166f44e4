//! Providers that can be handed to any thread.

use super::Memory;

/// A [`Memory`] that any thread may hold and use: `Send + Sync + 'static`.
///
/// Implemented by every such type. Object safe.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use bytesbuf::mem::{Memory, MemoryShared};
///
/// /// Reserves on another thread.
/// fn elsewhere(memory: Arc<dyn MemoryShared>) -> usize {
///     std::thread::spawn(move || memory.reserve(10).capacity()).join().unwrap()
/// }
///
/// # #[cfg(feature = "std")]
/// assert!(elsewhere(Arc::new(bytesbuf::mem::GlobalPool::new())) >= 10);
/// ```
pub trait MemoryShared: Memory + Send + Sync + 'static {}

impl<M: Memory + Send + Sync + 'static + ?Sized> MemoryShared for M {}
