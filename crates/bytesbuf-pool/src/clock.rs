//! When the next tick is due in a pool that nobody ticks by hand.

use std::time::{Duration, Instant};

use crate::sync::{AtomicUsize, Ordering};

pub(crate) struct Clock {
    start: Instant,
    /// `None`: never.
    every: Option<Duration>,
    /// Seconds since `start`, rounded down; the first tick is due at once, and finds nothing
    /// that was idle before.
    next: AtomicUsize,
}

impl Clock {
    pub(crate) fn new(every: Option<Duration>) -> Self {
        Self {
            start: Instant::now(),
            every,
            next: AtomicUsize::new(0),
        }
    }

    /// Whether a tick is due. `true` for one caller each time.
    pub(crate) fn is_due(&self) -> bool {
        let Some(every) = self.every else {
            return false;
        };
        let now = self.start.elapsed();
        // Relaxed: partner of the exchange below; a time, nothing is handed over.
        let due = self.next.load(Ordering::Relaxed);
        if now.as_secs() < due as u64 {
            return false;
        }
        let next = usize::try_from(now.saturating_add(every).as_secs()).unwrap_or(usize::MAX);
        // Relaxed: partner of the same exchange by others: one of them wins.
        self.next
            .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn due_once_an_interval() {
        let hourly = Clock::new(Some(Duration::from_secs(3600)));
        assert!(hourly.is_due());
        assert!(!hourly.is_due());
        let always = Clock::new(Some(Duration::ZERO));
        assert!(always.is_due() && always.is_due());
        assert!(!Clock::new(None).is_due());
        assert!(Clock::new(Some(Duration::MAX)).every.is_some());
    }
}
