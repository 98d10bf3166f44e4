//! The slabs of one class: where blocks come from that neither threads nor the
//! depot have, and where they go that nobody wants to keep.
//!
//! A list of the slabs that have room, under a lock that is taken once a magazine
//! (once a block while the pool grows). A slab that has all its blocks back is
//! freed at once: what is kept for reuse is kept in magazines.
//!
//! # Invariants
//! * **T1** `with_room` has exactly the live slabs that have room. A slab without
//!   room is found through its blocks, all of which are out.
//! * **T2** While the lock is held nothing is allocated or freed.
#![expect(unsafe_code, reason = "a list of raw slabs")]

use std::ptr::NonNull;

use bytesbuf_core::ReserveError;

use crate::events;
use crate::header::PoolBlock;
use crate::list::List;
use crate::magazine::Magazine;
use crate::shared::Shared;
use crate::size_class::MAX_SLAB_BYTES;
use crate::slab::{Slab, SlabPlan};
use crate::sync::{Mutex, lock};

pub(crate) struct SlabStore(Mutex<Slabs>);

struct Slabs {
    with_room: List<Slab>,
    figures: SlabFigures,
}

// SAFETY: the slabs are used under the lock only (S4); blocks that are out belong to
// others, and their headers are used only while they are handed over (B2).
unsafe impl Send for Slabs {}

/// Figures of a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SlabFigures {
    /// Slabs at the moment.
    pub(crate) slabs: usize,
    /// Bytes in them.
    pub(crate) bytes: usize,
    /// Slabs taken from the allocator since the pool was made.
    pub(crate) allocated: usize,
    /// Blocks that are out of their slabs.
    pub(crate) out: usize,
    /// Most blocks that were ever out.
    pub(crate) most_out: usize,
    /// Slabs that the allocator had no memory for.
    pub(crate) refused: usize,
}

/// Slabs that nobody uses any more, on their way to the allocator.
#[must_use = "slabs that are dropped here are leaked"]
pub(crate) struct IdleSlabs(List<Slab>);

impl IdleSlabs {
    pub(crate) const fn none() -> Self {
        Self(List::new())
    }

    /// Frees the slabs. Returns the bytes that they took from the allocator.
    pub(crate) fn free(mut self) -> usize {
        let mut bytes = 0;
        while let Some(slab) = self.0.first() {
            // SAFETY: on this list.
            unsafe { self.0.remove(slab) };
            // SAFETY: I1: live.
            bytes += unsafe { slab.as_ref() }.size();
            // SAFETY: `put` found it idle and took it off the store: ours alone.
            unsafe { Slab::free(slab) };
        }
        bytes
    }
}

impl SlabStore {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Slabs {
            with_room: List::new(),
            figures: SlabFigures::default(),
        }))
    }

    /// Fills a magazine with blocks that were used before, as far as there are
    /// any. Its memory is the caller's alone.
    pub(crate) fn refill(&self, magazine: &mut Magazine) {
        let mut slabs = lock(&self.0);
        while !magazine.is_full() {
            let Some(block) = slabs.take_used() else {
                return;
            };
            let pushed = magazine.push(block);
            debug_assert!(pushed.is_ok(), "there is room");
        }
    }

    /// A block: one that was used before, or a fresh one, from a new slab if need
    /// be. The name is the pool's.
    pub(crate) fn take(
        &self,
        plan: &SlabPlan,
        pool: NonNull<Shared>,
        name: Option<&str>,
    ) -> Result<PoolBlock, ReserveError> {
        // A statement of its own, so that the lock is gone after it (T2).
        let (found, bytes) = {
            let mut slabs = lock(&self.0);
            (slabs.take_any(), slabs.figures.bytes)
        };
        if let Some(block) = found {
            return Ok(block);
        }
        let (slab, plan) = allocate(plan, bytes, pool).inspect_err(|_| self.refused())?;
        // SAFETY: fresh, with the pool's plan, and nobody else's.
        let block = unsafe { lock(&self.0).add_and_carve(slab) };
        events::grew(name, &plan);
        Ok(block)
    }

    #[cold]
    fn refused(&self) {
        lock(&self.0).figures.refused += 1;
    }

    /// Takes back all blocks of a magazine. Slabs that are idle then are the
    /// caller's to free, without a lock.
    pub(crate) fn put_all(&self, magazine: &mut Magazine, idle: &mut IdleSlabs) {
        let mut slabs = lock(&self.0);
        while let Some(block) = magazine.pop() {
            slabs.put(block, idle);
        }
    }

    /// Takes back one block, and frees its slab if that is idle then.
    pub(crate) fn put(&self, block: PoolBlock) {
        let mut idle = IdleSlabs::none();
        lock(&self.0).put(block, &mut idle);
        idle.free();
    }

    pub(crate) fn figures(&self) -> SlabFigures {
        lock(&self.0).figures
    }
}

/// A slab as large as is right, or a small one if the allocator refuses that.
fn allocate(
    plan: &SlabPlan,
    bytes: usize,
    pool: NonNull<Shared>,
) -> Result<(NonNull<Slab>, SlabPlan), ReserveError> {
    let plans = [grown(plan, bytes), *plan];
    for plan in plans {
        if let Ok(slab) = Slab::allocate(&plan, pool) {
            return Ok((slab, plan));
        }
    }
    let least = plan.with_blocks(1);
    Ok((Slab::allocate(&least, pool)?, least))
}

/// Slabs become larger as there are more of them, so that few allocations hold
/// much memory: an eighth of what the class has, up to [`MAX_SLAB_BYTES`].
#[cfg_attr(
    any(bytesbuf_loom, bytesbuf_shuttle),
    expect(clippy::unnecessary_min_or_max, reason = "the limit is 0 in models")
)]
fn grown(plan: &SlabPlan, bytes: usize) -> SlabPlan {
    let blocks = bytes.min(8 * MAX_SLAB_BYTES) / 8 / plan.stride_with_header();
    match u32::try_from(blocks) {
        Ok(blocks) if blocks > plan.blocks() && plan.blocks() > 1 => plan.with_blocks(blocks),
        _ => *plan,
    }
}

impl Slabs {
    fn take_used(&mut self) -> Option<PoolBlock> {
        let slab = self.with_room.find(Slab::has_free)?;
        // SAFETY: T1 and S4: live, and under our lock.
        let block = unsafe { Slab::take_free(slab) }?;
        self.took(slab);
        Some(block)
    }

    fn take_any(&mut self) -> Option<PoolBlock> {
        if let Some(block) = self.take_used() {
            return Some(block);
        }
        let slab = self.with_room.first()?;
        // SAFETY: T1 and S4: live, and under our lock.
        let block = unsafe { Slab::carve(slab) };
        self.took(slab);
        block
    }

    /// # Safety
    /// `slab` is live, fresh and the caller's alone.
    unsafe fn add_and_carve(&mut self, slab: NonNull<Slab>) -> PoolBlock {
        self.figures.slabs += 1;
        self.figures.allocated += 1;
        // SAFETY: live, as the caller promises.
        self.figures.bytes += unsafe { slab.as_ref() }.size();
        // SAFETY: live, and freed only after it was taken off (T1).
        unsafe { self.with_room.push(slab) };
        // SAFETY: S4: under our lock.
        let block = unsafe { Slab::carve(slab) }.expect("a fresh slab has a block");
        self.took(slab);
        block
    }

    /// Counts a block that went out, and keeps T1.
    fn took(&mut self, slab: NonNull<Slab>) {
        self.figures.out += 1;
        self.figures.most_out = self.figures.most_out.max(self.figures.out);
        // SAFETY: live: a block of it is out.
        if !unsafe { slab.as_ref() }.has_room() {
            // SAFETY: T1: it had room until now.
            unsafe { self.with_room.remove(slab) };
        }
    }

    fn put(&mut self, block: PoolBlock, idle: &mut IdleSlabs) {
        let slab = block.slab();
        // SAFETY: S3: live, because a block of it is out.
        let this = unsafe { slab.as_ref() };
        let had_room = this.has_room();
        // SAFETY: S4: under our lock, and it is the block's own slab.
        unsafe { Slab::put(slab, block) };
        self.figures.out -= 1;
        if this.is_idle() {
            self.figures.slabs -= 1;
            self.figures.bytes -= this.size();
            if had_room {
                // SAFETY: T1: on the list.
                unsafe { self.with_room.remove(slab) };
            }
            // SAFETY: on no list now; freed only after it was taken off.
            unsafe { idle.0.push(slab) };
        } else if !had_room {
            // SAFETY: T1: on no list, and freed only after it was taken off.
            unsafe { self.with_room.push(slab) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;
    use crate::size_class::Class;

    /// As when two threads find no room and make a slab each.
    #[test]
    fn a_block_that_was_used_is_found_behind_a_fresh_slab() {
        let size = NonZero::new(1024).unwrap();
        let plan = SlabPlan::new(Class::FIRST, size, 4, 64).unwrap();
        let slab = || Slab::allocate(&plan, NonNull::dangling()).unwrap();
        let (older, newer) = (slab(), slab());
        let mut slabs = Slabs {
            with_room: List::new(),
            figures: SlabFigures::default(),
        };
        // SAFETY: live, fresh and this test's alone.
        let kept = unsafe { slabs.add_and_carve(older) };
        let used = slabs.take_any().expect("three are left");
        // SAFETY: as above.
        let fresh = unsafe { slabs.add_and_carve(newer) };
        let mut idle = IdleSlabs::none();
        slabs.put(used, &mut idle);
        assert_eq!(slabs.with_room.first(), Some(newer), "in front");

        let found = slabs.take_used().expect("one that was used");
        assert_eq!(found.slab(), older);
        assert!(slabs.take_used().is_none(), "all others are fresh");
        for block in [kept, found, fresh] {
            slabs.put(block, &mut idle);
        }
        assert_eq!(idle.free(), 2 * plan.size());
    }
}
