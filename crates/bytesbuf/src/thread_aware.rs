//! What relocation to another thread means for the pool (feature `thread-aware`).

use ::thread_aware::ThreadAware;
use ::thread_aware::affinity::{MemoryAffinity, PinnedAffinity};

use crate::mem::GlobalPool;

/// Relocation returns the same pool: it keeps free blocks per thread by itself,
/// whichever thread that is, so there is nothing to move and nothing that the
/// threads of two affinities would contend for.
///
/// # Examples
/// ```
/// use bytesbuf::mem::GlobalPool;
/// use thread_aware::ThreadAware;
/// use thread_aware::affinity::{MemoryAffinity, pinned_affinities};
///
/// let destination = pinned_affinities(&[1])[0];
/// let pool = GlobalPool::new();
/// let there = pool.clone().relocated(MemoryAffinity::Unknown, destination);
/// assert_eq!(there.reserve(1).capacity(), pool.reserve(1).capacity());
/// ```
impl ThreadAware for GlobalPool {
    fn relocated(self, _source: MemoryAffinity, _destination: PinnedAffinity) -> Self {
        self
    }
}
