//! Which blocks are out, and who rented them: under the feature `holders`.
//!
//! A map from the address of each block's payload to its record, in a few parts
//! with a lock each. A block is entered after it was taken from the pool and before
//! it is lent, and struck out after its last reference is gone and before the pool
//! has it back: at most one record for an address.
//!
//! # Invariants
//! * **K1** While the lock of a part is held nothing is allocated or freed: the
//!   global allocator may be one that uses the pool. A map that is full is
//!   replaced by a larger one that was made without the lock; what is removed is
//!   dropped without it.
//! * **K2** Striking out does not allocate: a removal needs no memory.

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::BuildHasherDefault;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use crate::header::PoolBlock;
use crate::holders::{Record, capture};
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering, lock};

/// A power of two.
const PARTS: usize = 16;

/// An empty part keeps a map of at most this many records; more than the first map
/// has.
const KEPT: usize = if cfg!(miri) { 8 } else { 1024 };

pub(crate) struct Ledger {
    parts: [Part; PARTS],
    sampling: Sampling,
    /// Rentals so far, if some are to be sampled. Wraps around.
    rentals: AtomicUsize,
    /// Blocks that are out and have no record.
    unrecorded: AtomicUsize,
}

/// A cache line and more, so that parts do not share one.
#[repr(align(128))]
struct Part(Mutex<Records>);

type Records = HashMap<usize, Record, BuildHasherDefault<DefaultHasher>>;

/// Whom the blocks of a handle belong to.
#[derive(Clone)]
pub(crate) struct Tag(Option<Arc<str>>);

/// One rental in so many has a backtrace; 0 is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling(usize);

impl Tag {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) const fn new(tag: Arc<str>) -> Self {
        Self(Some(tag))
    }

    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl Sampling {
    pub(crate) const OFF: Self = Self(0);

    pub(crate) const fn one_in(rentals: usize) -> Self {
        Self(rentals)
    }
}

impl Ledger {
    /// Whether blocks are recorded.
    pub(crate) const ON: bool = true;

    pub(crate) fn new(sampling: Sampling) -> Self {
        Self {
            parts: std::array::from_fn(|_| Part(Mutex::new(Records::default()))),
            sampling,
            rentals: AtomicUsize::new(0),
            unrecorded: AtomicUsize::new(0),
        }
    }

    /// Enters a block that is about to be lent. Without memory for its record, it
    /// is only counted.
    pub(crate) fn enter(&self, block: &PoolBlock, tag: &Tag) {
        let record = Record {
            tag: tag.0.clone(),
            bytes: block.size().get() as usize,
            since: Instant::now(),
            backtrace: self.sample(),
        };
        let address = address(block);
        let part = self.part(address);
        let mut larger = Records::default();
        let mut records = lock(&part.0);
        while records.len() == records.capacity() {
            if larger.capacity() > records.len() {
                move_all(&mut records, &mut larger);
                break;
            }
            let wanted = records.len().saturating_mul(2).max(4);
            drop(records);
            if larger.try_reserve(wanted).is_err() {
                // Relaxed: partner of nothing; a figure for people.
                self.unrecorded.fetch_add(1, Ordering::Relaxed);
                return;
            }
            records = lock(&part.0);
        }
        let before = records.insert(address, record);
        drop(records);
        debug_assert!(before.is_none(), "one record for an address");
    }

    /// Strikes out a block whose last reference is gone.
    pub(crate) fn strike(&self, block: &PoolBlock) {
        let address = address(block);
        let mut emptied = Records::default();
        let mut records = lock(&self.part(address).0);
        let record = records.remove(&address);
        if records.is_empty() && records.capacity() > KEPT {
            emptied = mem::take(&mut *records);
        }
        drop(records);
        if record.is_none() {
            // Relaxed: partner of nothing; a figure for people.
            self.unrecorded.fetch_sub(1, Ordering::Relaxed);
        }
        drop((record, emptied));
    }

    /// A copy of all records, and the number of blocks without one.
    pub(crate) fn read(&self) -> (Vec<Record>, usize) {
        let mut copy = Vec::new();
        for part in &self.parts {
            let records = lock_to_copy(part, &mut copy);
            copy.extend(records.values().cloned());
        }
        // Relaxed: partner of nothing; a figure for people.
        (copy, self.unrecorded.load(Ordering::Relaxed))
    }

    fn sample(&self) -> Option<Arc<Backtrace>> {
        let Sampling(one_in) = self.sampling;
        if one_in == 0 {
            return None;
        }
        // Relaxed: partner of nothing; any rental is as good as another.
        let rental = self.rentals.fetch_add(1, Ordering::Relaxed);
        if rental % one_in == 0 {
            capture()
        } else {
            None
        }
    }

    fn part(&self, address: usize) -> &Part {
        const SHIFT: u32 = usize::BITS - PARTS.ilog2();
        // The upper bits of the product depend on all bits of the address.
        &self.parts[address.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize) >> SHIFT]
    }
}

/// The first byte of the payload: no other block has it.
fn address(block: &PoolBlock) -> usize {
    block.payload().addr().get()
}

/// Moves the records into a larger map, and leaves the old one in its place.
fn move_all(records: &mut Records, larger: &mut Records) {
    for (address, record) in records.drain() {
        larger.insert(address, record);
    }
    mem::swap(records, larger);
}

/// Locks a part after making room for all its records (K1).
fn lock_to_copy<'a>(part: &'a Part, copy: &mut Vec<Record>) -> MutexGuard<'a, Records> {
    loop {
        let records = lock(&part.0);
        let wanted = records.len();
        if copy.capacity() - copy.len() >= wanted {
            return records;
        }
        drop(records);
        // Some more, for those that come meanwhile.
        copy.reserve(wanted + wanted / 4);
    }
}

#[cfg(all(test, not(any(bytesbuf_loom, bytesbuf_shuttle))))]
mod tests {
    use std::collections::HashSet;
    use std::ptr;

    use super::*;
    use crate::GlobalPool;

    #[test]
    fn neighbours_are_in_all_parts() {
        let ledger = Ledger::new(Sampling::OFF);
        for distance in [64, 1024 + 64, 65_536 + 64, 1 << 20] {
            let parts = (1..200).map(|n| ptr::from_ref(ledger.part(n * distance)));
            let parts: HashSet<_> = parts.collect();
            assert_eq!(parts.len(), PARTS, "blocks every {distance} bytes");
        }
    }

    #[test]
    fn memory_for_many_records_goes_with_the_last_of_them() {
        let pool = GlobalPool::new();
        let capacities = || {
            let parts = pool.shared().ledger().parts.iter();
            parts.map(|part| lock(&part.0).capacity())
        };
        let blocks: Vec<_> = (0..4 * PARTS * KEPT)
            .map(|_| pool.rent(1).unwrap())
            .collect();
        assert!(capacities().all(|capacity| capacity > KEPT));
        drop(blocks);
        assert!(capacities().all(|capacity| capacity <= KEPT));
    }
}
