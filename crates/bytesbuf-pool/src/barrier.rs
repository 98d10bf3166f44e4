//! An asymmetric fence: nearly free for the threads that pass it all the time, a
//! system call for the one that comes by rarely.
//!
//! Two threads each store to one place and then load from the other's. With a
//! sequentially consistent fence between the store and the load on both sides, at
//! least one of them sees the other's store. [`light`] and [`heavy`] give the same
//! for a pair of one light and one heavy side: `heavy` makes every other thread of
//! the process pass a full fence (`membarrier` on Linux), so that the light side
//! needs to keep only the compiler from reordering.
//!
//! The technique is that of liburcu and folly; the language's memory model has no
//! word for it. Under loom and miri both sides are ordinary fences, so what is
//! checked there is the protocol on top.

/// Between the store and the load of a thread that is often here.
#[inline(always)]
pub(crate) fn light() {
    engine::light();
}

/// Between the store and the load of the other side. `false` means that the system
/// has no such thing: nothing follows then.
#[must_use]
pub(crate) fn heavy() -> bool {
    engine::heavy()
}

#[cfg(any(bytesbuf_loom, bytesbuf_shuttle, miri))]
mod engine {
    use crate::sync::{Ordering, fence};

    pub(super) fn light() {
        // SeqCst: partner of the fence in `heavy`.
        fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        // SeqCst: partner of the fence in `light`.
        fence(Ordering::SeqCst);
        true
    }
}

#[cfg(all(target_os = "linux", not(any(bytesbuf_loom, bytesbuf_shuttle, miri))))]
mod engine {
    use std::sync::OnceLock;

    use rustix::thread::{MembarrierCommand, membarrier};

    use crate::sync::{Ordering, compiler_fence};

    #[inline(always)]
    pub(super) fn light() {
        // SeqCst, for the compiler alone: partner of the system call in `heavy`.
        compiler_fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        /// Whether this process may use the command below. Asked once: a kernel or
        /// a sandbox without it says no for ever.
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        let registered = *REGISTERED
            .get_or_init(|| membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok());
        // The call is a full fence on the calling thread and on every running
        // thread of the process; a thread that does not run passed one when it was
        // switched out.
        registered && membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }
}

#[cfg(not(any(target_os = "linux", bytesbuf_loom, bytesbuf_shuttle, miri)))]
mod engine {
    use crate::sync::{Ordering, compiler_fence};

    #[inline(always)]
    pub(super) fn light() {
        // SeqCst, for the compiler alone: partner of nothing, `heavy` says no.
        compiler_fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        false
    }
}

#[cfg(all(
    test,
    target_os = "linux",
    not(any(bytesbuf_loom, bytesbuf_shuttle, miri))
))]
mod tests {
    use std::array;
    use std::hint;
    use std::thread;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::*;
    use crate::sync::{AtomicUsize, Ordering};

    /// A place that shares a cache line with no other.
    #[repr(align(128))]
    struct Place(AtomicUsize);

    const ROUNDS: usize = 40;
    const PAIRS: usize = 200;

    /// What two threads store to and look at, a pair after the other.
    struct Course {
        pairs: [[Place; 2]; PAIRS],
        arrived: Place,
    }

    impl Course {
        fn new() -> Self {
            let place = |_| Place(AtomicUsize::new(0));
            Self {
                pairs: array::from_fn(|_| array::from_fn(place)),
                arrived: place(0),
            }
        }

        /// Runs over all pairs, at the same time as the other thread, a number of
        /// times: stores to one place, passes a fence, and tells whether the other
        /// thread's store to the other place can be seen.
        fn run(&self, own: usize, fence: impl Fn()) -> Vec<bool> {
            let mut seen = Vec::with_capacity(ROUNDS * PAIRS);
            for round in 1..=ROUNDS {
                self.meet(round);
                for pair in &self.pairs {
                    // Relaxed: partner of the other thread's load below; the fence between them
                    // is what is tested.
                    pair[own].0.store(round, Ordering::Relaxed);
                    fence();
                    // Relaxed: partner of the other thread's store above.
                    seen.push(pair[1 - own].0.load(Ordering::Relaxed) >= round);
                }
            }
            seen
        }

        /// Returns when both threads are here.
        fn meet(&self, round: usize) {
            // AcqRel: partner of the load below, on the other thread.
            self.arrived.0.fetch_add(1, Ordering::AcqRel);
            let mut spins = 0_u32;
            // Acquire: partner of the addition above.
            while self.arrived.0.load(Ordering::Acquire) < 2 * round {
                spins += 1;
                if spins % 20_000 == 0 {
                    thread::yield_now();
                }
                hint::spin_loop();
            }
        }
    }

    /// Keeps the current thread on the n-th of the processors that it may use: two
    /// threads that take turns on one would miss nothing.
    fn stay_on(n: usize) {
        let Ok(all) = sched_getaffinity(None) else {
            return;
        };
        let mut usable = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
        if let Some(cpu) = usable.nth(n) {
            let mut one = CpuSet::new();
            one.set(cpu);
            let _ = sched_setaffinity(None, &one);
        }
    }

    /// Without a fence on one side both miss the other's store now and then: any
    /// processor delays stores.
    #[test]
    fn of_two_threads_that_store_and_look_one_sees_the_other() {
        if !heavy() {
            return; // nothing is promised
        }
        let course = Course::new();
        let (often, rarely) = thread::scope(|scope| {
            let often = scope.spawn(|| {
                stay_on(0);
                course.run(0, light)
            });
            let rarely = scope.spawn(|| {
                stay_on(1);
                course.run(1, || assert!(heavy(), "it worked before"))
            });
            (often.join().unwrap(), rarely.join().unwrap())
        });
        let missed = often
            .iter()
            .zip(&rarely)
            .filter(|both| both == &(&false, &false));
        assert_eq!(missed.count(), 0, "of {}", often.len());
    }
}
