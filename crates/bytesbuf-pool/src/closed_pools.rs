//! How many pools have been closed: tells threads to look for caches that have to
//! retire.

use std::cell::Cell;

use crate::sync::{AtomicUsize, Ordering};

pub(crate) struct ClosedPools(AtomicUsize);

impl ClosedPools {
    #[cfg(not(bytesbuf_loom))]
    pub(crate) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Loom's atomics are not const.
    #[cfg(bytesbuf_loom)]
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// One more is closed: its caches have been told to retire.
    pub(crate) fn announce(&self) {
        // Release: partner of the Acquire load in `grew`. The retire orders were given
        // before.
        self.0.fetch_add(1, Ordering::Release);
    }

    /// Whether there are more than `seen`, which is brought up to date. If so, the
    /// retire orders of their caches can be seen.
    pub(crate) fn grew(&self, seen: &Cell<usize>) -> bool {
        // Acquire: partner of the Release addition in `announce`: who sees the new
        // number sees the orders.
        let now = self.0.load(Ordering::Acquire);
        seen.replace(now) != now
    }
}
