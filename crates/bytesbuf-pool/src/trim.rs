//! Giving memory back: from the magazines of the depot and of all threads to the
//! slabs, and from slabs that are idle then to the allocator.

use std::cell::Cell;

use crate::events;
use crate::shared::Shared;
use crate::size_class::Class;
use crate::slab_store::IdleSlabs;
use crate::thread_cache::ThreadCache;

impl Shared {
    /// Gives back everything that is cached. Returns the bytes that the allocator
    /// got.
    pub(crate) fn trim(&self) -> usize {
        // Threads first: one that exits meanwhile leaves its blocks to the depot.
        let freed = self.reach(|_| true, usize::MAX) + self.drain();
        events::trimmed(self.settings(), freed);
        freed
    }

    /// Gives back what is cached above `max_bytes` bytes: blocks in the depot
    /// first, large ones before small ones, then those of threads.
    pub(crate) fn trim_to(&self, max_bytes: usize) -> usize {
        let cached = self.cached_bytes();
        let mut excess = cached.saturating_sub(max_bytes);
        let mut freed = 0;
        for class in self.classes().used().rev() {
            while excess > 0 {
                let Some((bytes, given_back)) = self.drain_one(class) else {
                    break;
                };
                excess = excess.saturating_sub(bytes);
                freed += given_back;
            }
        }
        if excess > 0 {
            freed += self.reach(|_| true, excess);
        }
        events::trimmed(self.settings(), freed);
        freed
    }

    /// Gives back what nobody has used since the last tick: magazines in the depot
    /// that were never needed, and those of threads that did nothing.
    pub(crate) fn tick(&self) -> usize {
        let mut freed = self.reach(|cache| !cache.was_used(), usize::MAX);
        for class in self.classes().used() {
            for _ in 0..self.depot().tick(class) {
                let Some((_, given_back)) = self.drain_one(class) else {
                    break;
                };
                freed += given_back;
            }
        }
        events::trimmed(self.settings(), freed);
        freed
    }

    /// A tick, if the time has come for one.
    #[cfg(not(any(bytesbuf_loom, bytesbuf_shuttle)))]
    #[cold]
    pub(crate) fn tick_if_due(&self) {
        if self.clock().is_due() {
            self.tick();
        }
    }

    /// Gives the blocks in the depot back, which nobody else owns (P2).
    pub(crate) fn drain(&self) -> usize {
        let mut freed = 0;
        for class in self.classes().used() {
            while let Some((_, given_back)) = self.drain_one(class) {
                freed += given_back;
            }
        }
        freed
    }

    /// Gives one magazine of the depot back. Returns its bytes of payload, and the
    /// bytes that the allocator got.
    fn drain_one(&self, class: Class) -> Option<(usize, usize)> {
        let mut magazine = self.depot().take_filled(class)?;
        let blocks = magazine.len();
        let mut idle = IdleSlabs::none();
        self.slabs(class).put_all(&mut magazine, &mut idle);
        self.uncached(class).put_back_shared(blocks);
        Some((blocks * self.block_size(class), idle.free()))
    }

    /// Gives back the magazines of threads whose caches are `wanted`, until
    /// `enough` bytes of payload have come together.
    fn reach(&self, mut wanted: impl FnMut(&ThreadCache) -> bool, enough: usize) -> usize {
        let mut idle = IdleSlabs::none();
        let taken_bytes = Cell::new(0_usize);
        let mut taken_blocks = 0;
        self.registry().reach(
            // `wanted` is asked of all: it may keep count.
            |cache| wanted(cache) && taken_bytes.get() < enough,
            |class, magazine| {
                let blocks = magazine.len();
                if blocks == 0 || taken_bytes.get() >= enough {
                    return;
                }
                self.slabs(class).put_all(magazine, &mut idle);
                self.uncached(class).put_back_shared(blocks);
                taken_bytes.set(taken_bytes.get() + blocks * self.block_size(class));
                taken_blocks += blocks;
            },
        );
        let freed = idle.free();
        // The references of the blocks (C1), which nobody has any more (P1). Not
        // the last ones: who trims has one.
        self.release_some(taken_blocks);
        freed
    }

    /// Bytes of payload in magazines.
    fn cached_bytes(&self) -> usize {
        let (tallies, _) = self.tally();
        self.classes()
            .used()
            // Read while threads go on, figures may be more than there is memory.
            .map(|class| {
                tallies[class.index()]
                    .cached()
                    .saturating_mul(self.block_size(class))
            })
            .fold(0, usize::saturating_add)
    }
}
