//! W14: how long single reservations of 1 KiB take while another thread frees.
//!
//! Each reserve + drop is timed on its own, so every figure contains one reading of
//! the clock. Between them, not timed, buffers are rented and given to the other thread,
//! which drops them as they come.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::{EXTRAS, Job, Outcome, Unit, Workload, cases};
use crate::cores;
use crate::inputs;
use crate::peer::Reserve;

const LEN: usize = 1024;
/// Buffers that are given away at a time.
const GIVEN: usize = 32;
/// Timed operations from one gift to the next.
const BETWEEN: u64 = 16;
/// Gifts that may be under way.
const UNDER_WAY: usize = 4;

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        Workload::new(
            "W14 wall",
            "reserve 1 KiB + drop, each timed, while another thread frees",
            1,
            cases!(Latency() for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, ZeroPool, Ntex),
        )
        .row("W14 p50", Unit::Ns, 0)
        .row("W14 p99", Unit::Ns, 1)
        .row("W14 p99.9", Unit::Ns, 2),
    ]
}

struct Latency<P: Reserve> {
    pool: P::Pool,
    give: SyncSender<Vec<P::Buf>>,
    empty: Receiver<Vec<P::Buf>>,
    histogram: Histogram<u32>,
}

impl<P: Reserve> Latency<P> {
    fn new() -> Self {
        cores::stay_on(0);
        let (give, given) = sync_channel::<Vec<P::Buf>>(UNDER_WAY);
        let (give_back, empty) = sync_channel(UNDER_WAY);
        for _ in 0..UNDER_WAY {
            give_back
                .send(Vec::with_capacity(GIVEN))
                .expect("the receiver is in scope");
        }
        // Ends when the job is gone and the channel with it.
        thread::spawn(move || {
            cores::stay_on(1);
            for mut buffers in given {
                buffers.clear();
                if give_back.send(buffers).is_err() {
                    return;
                }
            }
        });
        Self {
            pool: P::pool(),
            give,
            empty,
            histogram: Histogram::new(3).expect("3 digits are allowed"),
        }
    }
}

impl<P: Reserve> Job for Latency<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        self.histogram.reset();
        let start = Instant::now();
        for round in 0..iters {
            if round % BETWEEN == 0 {
                // None left: the other thread is still freeing, which is the point.
                if let Ok(mut buffers) = self.empty.try_recv() {
                    for _ in 0..GIVEN {
                        buffers.push(P::reserve(&self.pool, LEN));
                    }
                    self.give.send(buffers).expect("the freeing thread runs");
                }
            }
            let before = Instant::now();
            let buf = P::reserve(&self.pool, black_box(LEN));
            black_box(&buf);
            drop(buf);
            let took = before.elapsed();
            self.histogram
                .saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1));
        }
        let time = start.elapsed();
        let mut extra = [f64::NAN; EXTRAS];
        for (extra, quantile) in extra.iter_mut().zip([0.5, 0.99, 0.999]) {
            *extra = self.histogram.value_at_quantile(quantile) as f64;
        }
        Outcome { time, extra }
    }

    fn produce(&mut self) -> Vec<u8> {
        P::contents(&mut P::fill(
            P::reserve(&self.pool, LEN),
            &inputs::pattern(LEN),
        ))
    }
}
