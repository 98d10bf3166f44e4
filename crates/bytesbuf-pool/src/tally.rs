//! What is counted for statistics: by each thread for itself, summed on demand.
//!
//! Three facts a class that only grow, and one that follows: blocks that are
//! neither lent nor freed are cached. Counters wrap around; differences of them
//! do not care.

use crate::sync::{AtomicUsize, Ordering};

/// Counters of one class with one writer at a time, or many that use `…_shared`.
#[repr(C)]
pub(crate) struct Counters {
    rented: AtomicUsize,
    released: AtomicUsize,
    allocated: AtomicUsize,
    freed: AtomicUsize,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            rented: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
            allocated: AtomicUsize::new(0),
            freed: AtomicUsize::new(0),
        }
    }

    /// By the one thread that owns the counters: no read-modify-write.
    #[inline]
    pub(crate) fn rented(&self) {
        bump(&self.rented);
    }

    /// By the one thread that owns the counters: no read-modify-write.
    #[inline]
    pub(crate) fn released(&self) {
        bump(&self.released);
    }

    /// By the one thread that owns the counters: no read-modify-write.
    pub(crate) fn allocated(&self) {
        bump(&self.allocated);
    }

    /// By the one thread that owns the counters: no read-modify-write.
    pub(crate) fn freed(&self) {
        bump(&self.freed);
    }

    /// By any thread: a block allocated and rented.
    pub(crate) fn allocated_and_rented_shared(&self) {
        // Relaxed: partner of nothing; a figure for people.
        self.allocated.fetch_add(1, Ordering::Relaxed);
        // Relaxed: partner of nothing; a figure for people.
        self.rented.fetch_add(1, Ordering::Relaxed);
    }

    /// By any thread: a block released and freed.
    pub(crate) fn released_and_freed_shared(&self) {
        // Relaxed: partner of nothing; a figure for people.
        self.released.fetch_add(1, Ordering::Relaxed);
        self.freed_shared();
    }

    /// By any thread: a block freed that had not been rented.
    pub(crate) fn freed_shared(&self) {
        // Relaxed: partner of nothing; a figure for people.
        self.freed.fetch_add(1, Ordering::Relaxed);
    }

    /// The figures, as fresh as they happen to be.
    pub(crate) fn read(&self) -> Tally {
        Tally {
            // Relaxed: partner of nothing; a figure for people.
            rented: self.rented.load(Ordering::Relaxed),
            // Relaxed: partner of nothing; a figure for people.
            released: self.released.load(Ordering::Relaxed),
            // Relaxed: partner of nothing; a figure for people.
            allocated: self.allocated.load(Ordering::Relaxed),
            // Relaxed: partner of nothing; a figure for people.
            freed: self.freed.load(Ordering::Relaxed),
        }
    }
}

/// Adds one, in two steps: only the owning thread writes.
#[inline]
fn bump(counter: &AtomicUsize) {
    // Relaxed: partner of nothing; this thread stored the value.
    let value = counter.load(Ordering::Relaxed);
    // Relaxed: partner of nothing; a figure for people.
    counter.store(value.wrapping_add(1), Ordering::Relaxed);
}

/// Figures of one class, summed over some of the threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    rented: usize,
    released: usize,
    allocated: usize,
    freed: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.rented = self.rented.wrapping_add(other.rented);
        self.released = self.released.wrapping_add(other.released);
        self.allocated = self.allocated.wrapping_add(other.allocated);
        self.freed = self.freed.wrapping_add(other.freed);
    }

    /// Blocks that are lent.
    pub(crate) const fn in_use(&self) -> usize {
        not_negative(self.rented.wrapping_sub(self.released))
    }

    /// Blocks in magazines, of threads and of the depot.
    pub(crate) const fn cached(&self) -> usize {
        let held = self.allocated.wrapping_sub(self.freed);
        let in_use = self.rented.wrapping_sub(self.released);
        not_negative(held.wrapping_sub(in_use))
    }

    /// Blocks rented since the pool was made.
    pub(crate) const fn rented(&self) -> usize {
        self.rented
    }

    /// Blocks taken from the allocator since the pool was made.
    pub(crate) const fn allocated(&self) -> usize {
        self.allocated
    }
}

/// Figures read while threads are at work may cross; a difference below zero
/// counts as zero.
const fn not_negative(difference: usize) -> usize {
    if difference > isize::MAX as usize {
        0
    } else {
        difference
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn cached_is_what_is_neither_lent_nor_freed() {
        let counters = Counters::new();
        for _ in 0..5 {
            counters.allocated();
            counters.rented();
        }
        counters.released();
        counters.released();
        counters.released();
        counters.freed();
        let tally = counters.read();
        assert_eq!((tally.in_use(), tally.cached()), (2, 2));
        assert_eq!((tally.rented(), tally.allocated()), (5, 5));
    }

    #[test]
    fn threads_add_up() {
        let (here, there) = (Counters::new(), Counters::new());
        here.allocated_and_rented_shared();
        there.released_and_freed_shared();
        // The releasing thread alone has a negative balance, shown as nothing.
        assert_eq!((there.read().in_use(), there.read().cached()), (0, 0));
        let mut sum = here.read();
        assert_eq!(sum.in_use(), 1);
        sum.add(there.read());
        assert_eq!((sum.in_use(), sum.cached()), (0, 0));
    }
}
