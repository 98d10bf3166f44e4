//! What is counted for statistics: by each thread for itself, summed on demand.
//!
//! Facts a class that only grow, and what follows from them: blocks that are
//! outside of the slabs and not lent are cached. Counters wrap around; differences
//! of them do not care.

use crate::sync::{AtomicUsize, Ordering};

/// Counters of one class with one writer at a time, or many that use `…_shared`.
#[repr(C)]
pub(crate) struct Counters {
    rented: AtomicUsize,
    released: AtomicUsize,
    missed: AtomicUsize,
    fetched: AtomicUsize,
    put_back: AtomicUsize,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            rented: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
            missed: AtomicUsize::new(0),
            fetched: AtomicUsize::new(0),
            put_back: AtomicUsize::new(0),
        }
    }

    /// A block was rented. By the one thread that owns the counters: no
    /// read-modify-write.
    #[inline]
    pub(crate) fn rented(&self) {
        add(&self.rented, 1);
    }

    /// A block was released. As [`rented`](Self::rented).
    #[inline]
    pub(crate) fn released(&self) {
        add(&self.released, 1);
    }

    /// A rental was not served by the thread's magazines. As
    /// [`rented`](Self::rented).
    pub(crate) fn missed(&self) {
        add(&self.missed, 1);
    }

    /// Blocks came out of the slabs. As [`rented`](Self::rented).
    pub(crate) fn fetched(&self, blocks: usize) {
        add(&self.fetched, blocks);
    }

    /// Blocks went back to the slabs. As [`rented`](Self::rented).
    pub(crate) fn put_back(&self, blocks: usize) {
        add(&self.put_back, blocks);
    }

    /// By any thread: a block came out of the slabs and was rented.
    pub(crate) fn fetched_and_rented_shared(&self) {
        for counter in [&self.fetched, &self.missed, &self.rented] {
            // Relaxed: partner of nothing; a figure for people.
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// By any thread: a block was released and went back to the slabs.
    pub(crate) fn released_and_put_back_shared(&self) {
        // Relaxed: partner of nothing; a figure for people.
        self.released.fetch_add(1, Ordering::Relaxed);
        self.put_back_shared(1);
    }

    /// By any thread: blocks that had not been rented went back to the slabs.
    pub(crate) fn put_back_shared(&self, blocks: usize) {
        // Relaxed: partner of nothing; a figure for people.
        self.put_back.fetch_add(blocks, Ordering::Relaxed);
    }

    /// Rents and releases, as fresh as they happen to be.
    pub(crate) fn operations(&self) -> usize {
        let tally = self.read();
        tally.rented.wrapping_add(tally.released)
    }

    /// The figures, as fresh as they happen to be.
    pub(crate) fn read(&self) -> Tally {
        // Relaxed: partner of nothing; a figure for people.
        let value = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        Tally {
            rented: value(&self.rented),
            released: value(&self.released),
            missed: value(&self.missed),
            fetched: value(&self.fetched),
            put_back: value(&self.put_back),
        }
    }
}

/// Adds in two steps: only the owning thread writes.
#[inline]
fn add(counter: &AtomicUsize, n: usize) {
    // Relaxed: partner of nothing; this thread stored the value.
    let value = counter.load(Ordering::Relaxed);
    // Relaxed: partner of nothing; a figure for people.
    counter.store(value.wrapping_add(n), Ordering::Relaxed);
}

/// Figures of one class, summed over some of the threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    rented: usize,
    released: usize,
    missed: usize,
    fetched: usize,
    put_back: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        let sum = usize::wrapping_add;
        self.rented = sum(self.rented, other.rented);
        self.released = sum(self.released, other.released);
        self.missed = sum(self.missed, other.missed);
        self.fetched = sum(self.fetched, other.fetched);
        self.put_back = sum(self.put_back, other.put_back);
    }

    /// Blocks that are lent.
    pub(crate) const fn in_use(&self) -> usize {
        not_negative(self.rented.wrapping_sub(self.released))
    }

    /// Blocks in magazines, of threads and of the depot.
    pub(crate) const fn cached(&self) -> usize {
        let outside = self.fetched.wrapping_sub(self.put_back);
        let in_use = self.rented.wrapping_sub(self.released);
        not_negative(outside.wrapping_sub(in_use))
    }

    /// Blocks rented since the pool was made.
    pub(crate) const fn rented(&self) -> usize {
        self.rented
    }

    /// Rentals that the thread's own magazines did not serve.
    pub(crate) const fn missed(&self) -> usize {
        self.missed
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
    fn cached_is_what_is_neither_lent_nor_in_the_slabs() {
        let counters = Counters::new();
        counters.fetched(5);
        for _ in 0..5 {
            counters.rented();
        }
        for _ in 0..3 {
            counters.released();
        }
        counters.put_back(1);
        counters.missed();
        let tally = counters.read();
        assert_eq!((tally.in_use(), tally.cached()), (2, 2));
        assert_eq!((tally.rented(), tally.missed()), (5, 1));
        assert_eq!(counters.operations(), 8);
    }

    #[test]
    fn threads_add_up() {
        let (here, there) = (Counters::new(), Counters::new());
        here.fetched_and_rented_shared();
        there.released_and_put_back_shared();
        // The releasing thread alone has a negative balance, shown as nothing.
        assert_eq!((there.read().in_use(), there.read().cached()), (0, 0));
        let mut sum = here.read();
        assert_eq!(sum.in_use(), 1);
        sum.add(there.read());
        assert_eq!((sum.in_use(), sum.cached()), (0, 0));
    }

    #[test]
    fn half_of_all_differences_are_negative() {
        let largest = isize::MAX as usize;
        assert_eq!(not_negative(largest), largest);
        assert_eq!(not_negative(largest + 1), 0);
        assert_eq!((not_negative(usize::MAX), not_negative(0)), (0, 0));
    }
}
