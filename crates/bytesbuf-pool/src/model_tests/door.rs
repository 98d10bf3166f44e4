//! What the scenarios need of their engine, and a thread cache as a value.

use std::ptr::NonNull;

#[cfg(bytesbuf_loom)]
pub(super) use loom::thread;
#[cfg(not(bytesbuf_loom))]
pub(super) use std::thread;

use crate::GlobalPool;
use crate::header::PoolBlock;
use crate::size_class::Class;
use crate::thread_cache::ThreadCache;

/// The class that the scenarios use.
pub(super) const CLASS: Class = Class::FIRST;

/// Runs a scenario: every execution under loom, a number of them elsewhere.
#[cfg(bytesbuf_loom)]
pub(super) fn model(scenario: impl Fn() + Send + Sync + 'static) {
    loom::model(scenario);
}

/// Runs a scenario: every execution under loom, a number of them elsewhere.
#[cfg(not(bytesbuf_loom))]
pub(super) fn model(scenario: impl Fn() + Send + Sync + 'static) {
    for _ in 0..rounds() {
        scenario();
    }
}

/// How often a scenario is run: as `BYTESBUF_ROUNDS` says, if it is set.
#[cfg(not(bytesbuf_loom))]
fn rounds() -> u32 {
    let by_default = if cfg!(miri) { 6 } else { 500 };
    let said = std::env::var("BYTESBUF_ROUNDS");
    said.map_or(by_default, |rounds| rounds.parse().expect("a number"))
}

/// A thread cache that is disposed of like one whose thread ends.
pub(super) struct Cache(NonNull<ThreadCache>);

impl Cache {
    /// `None` if the pool is closed.
    pub(super) fn of_block(block: &PoolBlock) -> Option<Self> {
        // SAFETY: P1: the block holds a reference.
        unsafe { ThreadCache::create(block.pool()) }.map(Self)
    }

    pub(super) fn of(pool: &GlobalPool) -> Self {
        // SAFETY: P1: the handle holds a reference.
        Self(unsafe { ThreadCache::create(pool.raw()) }.expect("an open pool"))
    }

    /// Rents a block and writes to it: races with whoever else still uses it.
    pub(super) fn rent(&self) -> PoolBlock {
        let block = self.cache().rent(CLASS).expect("memory");
        block.touch();
        block
    }

    /// Rents a block by the fast path alone, and writes to it.
    pub(super) fn rent_fast(&self) -> Option<PoolBlock> {
        let block = self.cache().pop(CLASS)?;
        block.touch();
        Some(block)
    }

    /// Writes to a block and releases it by the fast path alone.
    pub(super) fn release_fast(&self, block: PoolBlock) -> Result<(), PoolBlock> {
        block.touch();
        self.cache().push(block)
    }

    /// Writes to a block and releases it.
    pub(super) fn release(&self, block: PoolBlock) {
        block.touch();
        self.cache().release(block);
    }

    /// Tells it to give its magazines back, as who trims does where the owner is inside.
    pub(super) fn order_flush(&self) {
        self.cache().order_flush();
    }

    /// Does something while its owner is inside, and uses another cache for it.
    pub(super) fn while_inside<R>(&self, work: impl FnOnce() -> R) -> R {
        self.cache().while_inside(work)
    }

    /// Whether it has been told that its pool is closed.
    pub(super) fn is_retired(&self) -> bool {
        self.cache().is_retired()
    }

    fn cache(&self) -> &ThreadCache {
        // SAFETY: alive until `drop`.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // SAFETY: created above on this thread, and not used again.
        unsafe { ThreadCache::dispose(self.0) };
    }
}

/// Asserts conservation on a pool that nobody uses at the moment.
#[track_caller]
pub(super) fn assert_in_use(pool: &GlobalPool, blocks: usize) {
    let stats = pool.stats();
    let class = stats.classes().next().expect("four classes");
    assert_eq!(
        class.blocks_in_use(),
        blocks,
        "each block is rented once and comes back once"
    );
    assert!(
        class.blocks_cached() <= class.high_water(),
        "what is cached came out of a slab"
    );
}
