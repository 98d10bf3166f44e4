//! What all threads count together.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        // Relaxed: partner of nothing; a figure, read for good after the join.
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: partner of nothing; a figure, read for good after the join.
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Messages written, and their bytes.
    pub(crate) written: Counter,
    pub(crate) bytes: Counter,
    pub(crate) handed_over: Counter,
    pub(crate) derived: Counter,
    /// Digests checked, and those that differ.
    pub(crate) checked: Counter,
    pub(crate) differing: Counter,
    /// Requests without room: at once or when time was up; futures that were dropped.
    pub(crate) refused: Counter,
    pub(crate) cancelled: Counter,
    pub(crate) short_threads: Counter,
    pub(crate) trims: Counter,
    stop: AtomicBool,
    plant: AtomicBool,
}

impl Totals {
    pub(crate) fn stop(&self) {
        // Relaxed: partner of the load in `is_stopped`; nothing is handed over.
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        // Relaxed: partner of the store in `stop`.
        self.stop.load(Ordering::Relaxed)
    }

    /// A fault is to be planted, once.
    pub(crate) fn order_fault(&self) {
        // Relaxed: partner of the swap in `take_fault`; nothing is handed over.
        self.plant.store(true, Ordering::Relaxed);
    }

    /// Whether the caller is the one to plant it.
    pub(crate) fn take_fault(&self) -> bool {
        // Relaxed: partner of the store in `order_fault`; one swap wins.
        self.plant.load(Ordering::Relaxed) && self.plant.swap(false, Ordering::Relaxed)
    }
}
