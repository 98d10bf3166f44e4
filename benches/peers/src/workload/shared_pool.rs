//! W9: several threads on one shared pool, each reserves 1 KiB and drops it.
//!
//! Every batch runs on one, two and four threads, so that the shares below compare
//! neighbours in time. *Throughput a core* is operations by wall time and by the
//! cores that the threads can have (no more than the machine has), relative to one
//! thread alone. On a machine that is busy with other things the wall clock counts
//! those too; the figures by processor time do not, but they do not see a thread that
//! sleeps in front of a lock either. So both are shown.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use super::{EXTRAS, Job, Outcome, Unit, Workload, cases, ns_per};
use crate::cores;
use crate::inputs;
use crate::peer::Reserve;

const LEN: usize = 1024;
const THREADS: usize = 4;

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        Workload::new(
            "W9 2 threads",
            "reserve 1 KiB and drop on one shared pool; wall time by all operations",
            2,
            cases!(SharedPool() for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, ZeroPool, Ntex),
        )
        .row("W9 1 thread", Unit::Ns, 0)
        .row("W9 per core, 2 threads (wall)", Unit::Share, 1)
        .row("W9 per core, 2 threads (cpu)", Unit::Share, 2)
        .row("W9 per core, 4 threads (wall)", Unit::Share, 3)
        .row("W9 per core, 4 threads (cpu)", Unit::Share, 4),
    ]
}

/// What one thread is to do.
struct Order {
    iters: u64,
    together: Arc<Barrier>,
}

/// What it took.
#[derive(Clone, Copy)]
struct Took {
    start: Instant,
    end: Instant,
    processor: Duration,
}

struct SharedPool<P: Reserve> {
    pool: P::Pool,
    workers: Vec<(Sender<Order>, Receiver<Took>)>,
    cores: usize,
}

impl<P: Reserve> SharedPool<P> {
    fn new() -> Self {
        let pool = P::pool();
        let workers = (0..THREADS)
            .map(|index| {
                let pool = pool.clone();
                let (orders, incoming) = channel::<Order>();
                let (done, results) = channel();
                // Ends when the job is gone and the channel with it.
                thread::spawn(move || {
                    cores::stay_on(index);
                    for order in incoming {
                        if done.send(work::<P>(&pool, &order)).is_err() {
                            return;
                        }
                    }
                });
                (orders, results)
            })
            .collect();
        Self {
            pool,
            workers,
            cores: thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Wall time, and processor time of all threads together.
    fn on(&self, threads: usize, iters: u64) -> (Duration, Duration) {
        let together = Arc::new(Barrier::new(threads));
        for (orders, _) in &self.workers[..threads] {
            let together = Arc::clone(&together);
            orders
                .send(Order { iters, together })
                .expect("the worker runs");
        }
        let took: Vec<Took> = self.workers[..threads]
            .iter()
            .map(|(_, results)| results.recv().expect("the worker runs"))
            .collect();
        let start = took.iter().map(|took| took.start).min();
        let end = took.iter().map(|took| took.end).max();
        let wall = match (start, end) {
            (Some(start), Some(end)) => end - start,
            _ => Duration::ZERO,
        };
        (wall, took.iter().map(|took| took.processor).sum())
    }
}

#[inline(never)]
fn work<P: Reserve>(pool: &P::Pool, order: &Order) -> Took {
    order.together.wait();
    let processor = ThreadTime::now();
    let start = Instant::now();
    for _ in 0..order.iters {
        let buf = P::reserve(pool, black_box(LEN));
        black_box(&buf);
    }
    Took {
        start,
        end: Instant::now(),
        processor: processor.elapsed(),
    }
}

impl<P: Reserve> Job for SharedPool<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        let (alone, alone_processor) = self.on(1, iters);
        let (two, two_processor) = self.on(2, iters);
        let (four, four_processor) = self.on(4, iters);
        let by_wall = |threads: usize, wall: Duration| {
            let cores = threads.min(self.cores);
            alone.as_secs_f64() * threads as f64 / (wall.as_secs_f64() * cores as f64)
        };
        let by_processor = |threads: usize, processor: Duration| {
            alone_processor.as_secs_f64() * threads as f64 / processor.as_secs_f64()
        };
        let mut extra = [f64::NAN; EXTRAS];
        extra[0] = ns_per(alone, iters);
        extra[1] = by_wall(2, two);
        extra[2] = by_processor(2, two_processor);
        extra[3] = by_wall(4, four);
        extra[4] = by_processor(4, four_processor);
        Outcome { time: two, extra }
    }

    fn produce(&mut self) -> Vec<u8> {
        P::contents(&mut P::fill(
            P::reserve(&self.pool, LEN),
            &inputs::pattern(LEN),
        ))
    }
}
