//! Figures for people: they decide nothing.

use crate::sync::{AtomicUsize, Ordering};

/// Counts events. Wraps around.
pub(super) struct Figure(AtomicUsize);

impl Figure {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(super) fn count(&self) {
        // Relaxed: partner of nothing; a figure for people.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> usize {
        // Relaxed: partner of nothing; a figure for people.
        self.0.load(Ordering::Relaxed)
    }
}

/// The largest value so far.
pub(super) struct HighWater(AtomicUsize);

impl HighWater {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// A load, unless the value is a new largest.
    #[inline]
    pub(super) fn reached(&self, value: usize) {
        // Relaxed: partner of nothing; an old value is smaller, then the maximum is
        // taken once more than needed.
        if value > self.0.load(Ordering::Relaxed) {
            self.rise(value);
        }
    }

    #[cold]
    fn rise(&self, value: usize) {
        // Relaxed: partner of nothing; a figure for people.
        self.0.fetch_max(value, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> usize {
        // Relaxed: partner of nothing; a figure for people.
        self.0.load(Ordering::Relaxed)
    }
}
