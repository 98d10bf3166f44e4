//! The ways to get memory from a pool with a budget.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use bytesbuf::BytesBuf;
use bytesbuf::mem::{GlobalPool, ReserveError};

use crate::random::Random;
use crate::totals::Totals;

/// Longest that a thread waits for room: others may be waiting for its own.
const PATIENCE_US: usize = 5_000;

/// A buffer with room for `bytes` bytes, or `None` if there is none for now.
pub(crate) fn obtain(
    pool: &GlobalPool,
    bytes: usize,
    random: &mut Random,
    totals: &Totals,
) -> Option<BytesBuf> {
    let patience = Duration::from_micros(random.below(PATIENCE_US) as u64);
    let outcome = match random.below(16) {
        0..4 => pool.reserve_timeout(bytes, patience),
        4..8 => match with_deadline(pool.reserve_async(bytes), patience) {
            Some(outcome) => outcome,
            None => {
                totals.cancelled.add(1);
                return None;
            }
        },
        8 => {
            // Somebody who asks and goes away before it is their turn.
            drop(with_deadline(pool.reserve_async(bytes), Duration::ZERO));
            return None;
        }
        9..11 => pool.try_reserve_contiguous(bytes),
        _ => pool.try_reserve(bytes),
    };
    match outcome {
        Ok(buf) => {
            assert!(
                buf.is_empty() && buf.remaining_capacity() >= bytes,
                "{buf:?} for {bytes} bytes"
            );
            Some(buf)
        }
        Err(ReserveError::OverBudget { .. }) => {
            totals.refused.add(1);
            None
        }
        Err(other) => panic!("{bytes} bytes: {other}"),
    }
}

/// Runs a future on this thread; `None` if it took too long and was dropped.
fn with_deadline<F: Future>(future: F, patience: Duration) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let deadline = Instant::now() + patience;
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = deadline.checked_duration_since(Instant::now())?;
        thread::park_timeout(left);
    }
}
