//! The handle of a pool.
#![expect(unsafe_code, reason = "a counted handle of the shared object")]

use std::alloc::{Layout, handle_alloc_error};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

use bytesbuf_core::{Block, BlockProvider, ReserveError};

use crate::shared::Shared;
use crate::size_class::SizeClass;
use crate::stats::PoolStats;
use crate::{lease, local};

/// A pool of blocks that all threads use without waiting for each other.
///
/// Clones are handles of the same pool. Blocks may be dropped on any thread, at
/// any time, also after the last handle. See the [crate](crate) for how it works.
///
/// # Examples
/// ```
/// use bytesbuf_pool::{GlobalPool, SizeClass};
///
/// let pool = GlobalPool::new();
/// let (class, _) = SizeClass::for_request(100).unwrap();
///
/// let block = pool.rent(class)?;
/// assert_eq!(block.len().get(), 1024);
/// assert_eq!(pool.stats().bytes_in_use(), 1024);
///
/// drop(block); // cached for the next one
/// assert_eq!(pool.stats().bytes_in_use(), 0);
/// assert_eq!(pool.stats().bytes_cached(), 1024);
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
pub struct GlobalPool {
    /// Alive: the handle count of the shared object includes this one (P1).
    shared: NonNull<Shared>,
}

// SAFETY: the shared object is Send and Sync; the handle only counts.
unsafe impl Send for GlobalPool {}
// SAFETY: as above.
unsafe impl Sync for GlobalPool {}

// No panic leaves a pool in an inconsistent state: nothing in it runs foreign code
// half-way through a change.
impl UnwindSafe for GlobalPool {}
impl RefUnwindSafe for GlobalPool {}

impl GlobalPool {
    /// Makes a pool of its own, without blocks. Allocates about 30 KiB for the
    /// depot.
    ///
    /// If the allocator refuses that, ends the process as `Box::new` does.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a pool that comes into being by accident serves nobody"
    )]
    pub fn new() -> Self {
        match Shared::create() {
            Some(shared) => Self { shared },
            None => handle_alloc_error(Layout::new::<Shared>()),
        }
    }

    /// Rents one block of a class: `class.block_size()` bytes of uninitialised
    /// memory, aligned to 64 bytes. Dropping the last reference to it gives it
    /// back.
    ///
    /// If this thread has a free block of the class, and this is the pool it used
    /// last: a thread-local access and a pop, no lock, no atomic
    /// read-modify-write, no allocation. Otherwise the depot is asked, then the
    /// global allocator.
    ///
    /// # Errors
    /// [`ReserveError::OutOfMemory`] if no free block is at hand and the global
    /// allocator has no memory.
    #[inline]
    pub fn rent(&self, class: SizeClass) -> Result<Block, ReserveError> {
        let fast = local::with_hot(self.shared, (), |cache, ()| cache.pop(class).ok_or(()));
        let block = match fast {
            Ok(block) => block,
            // SAFETY: P1: this handle lives for longer than the call.
            Err(()) => unsafe { lease::rent_slow(self.shared, class) }?,
        };
        Ok(lease::lend(block))
    }

    /// Figures of the pool: exact while no other thread uses it, close otherwise.
    /// Takes a lock that `rent` and the release of a block do not take; time
    /// proportional to the number of threads that use the pool.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let (tallies, thread_caches) = self.shared().tally();
        PoolStats::new(tallies, thread_caches)
    }

    /// The shared object, for models that use thread caches of their own.
    #[cfg(test)]
    pub(crate) const fn raw(&self) -> NonNull<Shared> {
        self.shared
    }

    fn shared(&self) -> &Shared {
        // SAFETY: P1: alive while a handle exists.
        unsafe { self.shared.as_ref() }
    }
}

impl BlockProvider for GlobalPool {
    /// The blocks that [`SizeClass::for_request`] names.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] above `isize::MAX` bytes, before anything is
    /// rented; [`ReserveError::OutOfMemory`] as [`rent`](GlobalPool::rent).
    #[inline]
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        const MAX: usize = isize::MAX as usize;
        if min_bytes > MAX {
            return Err(ReserveError::TooLarge {
                requested: min_bytes,
                max: MAX,
            });
        }
        let Some((class, blocks)) = SizeClass::for_request(min_bytes) else {
            return Ok(());
        };
        for _ in 0..blocks.get() {
            sink(self.rent(class)?);
        }
        Ok(())
    }
}

/// Another handle of the same pool. One atomic addition.
impl Clone for GlobalPool {
    fn clone(&self) -> Self {
        self.shared().add_handle();
        Self {
            shared: self.shared,
        }
    }
}

/// The last handle closes the pool: free blocks go to the allocator, blocks that
/// are lent follow when they are released.
impl Drop for GlobalPool {
    fn drop(&mut self) {
        // SAFETY: this handle, which is not used again but to close the pool.
        if !unsafe { Shared::drop_handle(self.shared) } {
            return;
        }
        self.shared().close();
        local::pool_closed();
        // SAFETY: P1: the one reference of all handles, of which this was the last.
        unsafe { Shared::release(self.shared, 1) };
    }
}

impl fmt::Debug for GlobalPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("GlobalPool")
            .field("bytes_in_use", &stats.bytes_in_use())
            .field("bytes_cached", &stats.bytes_cached())
            .field("thread_caches", &stats.thread_caches())
            .finish()
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use static_assertions::{assert_impl_all, assert_not_impl_any};

    use super::*;

    assert_impl_all!(GlobalPool: Send, Sync, Unpin, Clone, UnwindSafe, RefUnwindSafe);
    assert_not_impl_any!(GlobalPool: Copy, Default);
}
