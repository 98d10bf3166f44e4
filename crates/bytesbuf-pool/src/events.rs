//! What the pool and its budgets tell `tracing`: under the feature of that name.
//! Otherwise the functions here are empty.
//!
//! | event | level | target | fields |
//! |---|---|---|---|
//! | a budget refuses | warn | `bytesbuf::budget` | `budget`, `requested`, `in_use`, `limit` |
//! | a request begins to wait | debug | `bytesbuf::budget` | `budget`, `requested`, `limit` |
//! | it has got its bytes at that level | debug | `bytesbuf::budget` | `budget`, `requested`, `waited_us` |
//! | it gives up | debug | `bytesbuf::budget` | `requested`, `waited_us` |
//! | a class gets a slab | debug | `bytesbuf::pool` | `pool`, `block_size`, `blocks`, `bytes` |
//! | memory goes back to the allocator | debug | `bytesbuf::pool` | `pool`, `bytes` |
//! | the last handle goes | debug | `bytesbuf::pool` | `pool`, `bytes_in_use` |
//!
//! A subscriber is foreign code. None of this is called with a lock held or with
//! something half done; a panic in a subscriber does not get out; and what happens
//! on the same thread while a subscriber handles one of these events makes no
//! further ones, so that it may use the pool and its budgets.

pub(crate) use self::engine::{Wait, closed, grew, refused, trimmed};

#[cfg(all(feature = "tracing", not(bytesbuf_loom)))]
mod engine {
    use std::cell::Cell;
    use std::time::Instant;

    use tracing::{debug, warn};

    use crate::settings::Settings;
    use crate::shared::Shared;
    use crate::slab::SlabPlan;
    use crate::stats::PoolStats;
    use crate::sync::quietly;

    /// Of a pool without a name.
    const POOL_NAME: &str = "pool";

    const POOL: &str = "bytesbuf::pool";
    const BUDGET: &str = "bytesbuf::budget";

    thread_local! {
        /// Whether a subscriber handles one of our events on this thread. Without
        /// destructor: usable at any time.
        static BUSY: Cell<bool> = const { Cell::new(false) };
    }

    /// Emits an event, unless this is inside of another.
    fn emit(event: impl FnOnce()) {
        if let Ok(false) = BUSY.try_with(|busy| busy.replace(true)) {
            quietly(event);
            let _ = BUSY.try_with(|busy| busy.set(false));
        }
    }

    #[cold]
    pub(crate) fn refused(budget: &str, requested: usize, in_use: usize, limit: usize) {
        emit(|| {
            warn!(target: BUDGET, budget, requested, in_use, limit, "budget refuses a request");
        });
    }

    #[cold]
    pub(crate) fn grew(pool: Option<&str>, plan: &SlabPlan) {
        let (pool, block_size) = (pool.unwrap_or(POOL_NAME), plan.block_size().get());
        let (blocks, bytes) = (plan.blocks(), plan.size());
        emit(|| debug!(target: POOL, pool, block_size, blocks, bytes, "pool gets a slab"));
    }

    #[cold]
    pub(crate) fn trimmed(settings: &Settings, bytes: usize) {
        let pool = name(settings);
        if bytes > 0 {
            emit(|| debug!(target: POOL, pool, bytes, "pool gives memory back"));
        }
    }

    #[cold]
    pub(crate) fn closed(shared: &Shared) {
        let pool = name(shared.settings());
        // Computed only if somebody listens.
        let bytes_in_use = || PoolStats::of(shared, None).bytes_in_use();
        emit(|| debug!(target: POOL, pool, bytes_in_use = bytes_in_use(), "pool is closed"));
    }

    fn name(settings: &Settings) -> &str {
        settings.name.as_deref().unwrap_or(POOL_NAME)
    }

    /// Since when a request waits at a level, if it does.
    #[derive(Debug)]
    pub(crate) struct Wait(Option<Instant>);

    impl Wait {
        pub(crate) const NONE: Self = Self(None);

        /// It has joined the queue.
        #[cold]
        pub(crate) fn begins(&mut self, budget: &str, requested: usize, limit: usize) {
            self.0 = Some(Instant::now());
            emit(|| {
                debug!(target: BUDGET, budget, requested, limit, "request waits for budget");
            });
        }

        /// It has seen its grant.
        #[cold]
        pub(crate) fn granted(&mut self, budget: &str, requested: usize) {
            if let Some(waited_us) = self.ends() {
                emit(|| {
                    debug!(target: BUDGET, budget, requested, waited_us, "request got its budget");
                });
            }
        }

        /// It will not see a grant, and has given everything back.
        pub(crate) fn given_up(&mut self, requested: usize) {
            if let Some(waited_us) = self.ends() {
                emit(|| {
                    debug!(target: BUDGET, requested, waited_us, "request gives up waiting");
                });
            }
        }

        /// How long it was, in microseconds.
        fn ends(&mut self) -> Option<u64> {
            let waited = self.0.take()?.elapsed().as_micros();
            Some(u64::try_from(waited).unwrap_or(u64::MAX))
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// Also without the guard that `tracing` has for scoped subscribers only.
        #[test]
        fn no_event_inside_of_another() {
            let events = Cell::new(0);
            let count = || events.set(events.get() + 1);
            for _ in 0..2 {
                emit(|| {
                    count();
                    emit(count);
                    emit(count);
                });
            }
            assert_eq!(events.get(), 2);
            emit(|| panic!("on purpose"));
            emit(count);
            assert_eq!(events.get(), 3, "after a panic as before");
        }
    }
}

#[cfg(not(all(feature = "tracing", not(bytesbuf_loom))))]
mod engine {
    use crate::settings::Settings;
    use crate::shared::Shared;
    use crate::slab::SlabPlan;

    #[inline]
    pub(crate) const fn refused(_budget: &str, _requested: usize, _in_use: usize, _limit: usize) {}

    #[inline]
    pub(crate) const fn grew(_pool: Option<&str>, _plan: &SlabPlan) {}

    #[inline]
    pub(crate) const fn trimmed(_settings: &Settings, _bytes: usize) {}

    #[inline]
    pub(crate) const fn closed(_shared: &Shared) {}

    /// Of a request that waits.
    #[derive(Debug)]
    pub(crate) struct Wait;

    const _: () = assert!(size_of::<Wait>() == 0);

    impl Wait {
        pub(crate) const NONE: Self = Self;

        #[inline]
        pub(crate) const fn begins(&mut self, _budget: &str, _requested: usize, _limit: usize) {}

        #[inline]
        pub(crate) const fn granted(&mut self, _budget: &str, _requested: usize) {}

        #[inline]
        pub(crate) const fn given_up(&mut self, _requested: usize) {}
    }
}
