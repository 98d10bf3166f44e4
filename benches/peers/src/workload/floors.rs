//! What the machine itself takes for the steps that the peers are made of.

use std::cell::{Cell, RefCell};
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{Case, EXTRAS, Job, Outcome, Spans, Workload, timed};
use crate::cores;
use crate::inputs;
use crate::peer::{Glibc, Mimalloc, Peer, Reserve};

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        floor("atomic fetch_add + fetch_sub", || {
            let count = AtomicU64::new(1);
            // Relaxed, no partner: only the price of the instruction counts.
            Simple(move || {
                black_box(count.fetch_add(1, Ordering::Relaxed));
                black_box(count.fetch_sub(1, Ordering::Relaxed));
            })
        }),
        floor("atomic load", || {
            let count = AtomicU64::new(1);
            // Acquire, no partner: only the price of the instruction counts.
            Simple(move || {
                black_box(black_box(&count).load(Ordering::Acquire));
            })
        }),
        floor("Mutex lock + unlock", || {
            let mutex = Mutex::new(0_u64);
            Simple(move || {
                if let Ok(mut guard) = black_box(&mutex).lock() {
                    *guard += 1;
                }
            })
        }),
        floor("thread-local, const, with Drop", || {
            Simple(|| {
                LOCAL.with(|local| {
                    let count = &black_box(local).0;
                    count.set(count.get() + 1);
                });
            })
        }),
        floor("malloc + free 1 KiB, system", || {
            Simple(|| drop(black_box(Glibc::reserve(&(), black_box(1024)))))
        }),
        floor("malloc + free 1 KiB, mimalloc", || {
            Simple(|| drop(black_box(Mimalloc::reserve(&(), black_box(1024)))))
        }),
        floor("memcpy 64 KiB", || copy(64 * 1024)),
        floor("memcpy 1 MiB", || copy(1024 * 1024)),
        floor("cache line to another core and back", PingPong::new),
    ]
}

struct Counter(Cell<u64>);

impl Drop for Counter {
    fn drop(&mut self) {
        black_box(self.0.get());
    }
}

thread_local! {
    static LOCAL: Counter = const { Counter(Cell::new(0)) };
}

fn floor<J: Job + 'static>(what: &str, make: impl Fn() -> J + Send + Sync + 'static) -> Workload {
    Workload::new(
        format!("floor: {what}"),
        what,
        1,
        vec![Case::new(Peer::Floor, make)],
    )
}

/// An operation that produces nothing.
struct Simple<F>(F);

impl<F: FnMut()> Job for Simple<F> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, &mut self.0)
    }

    fn produce(&mut self) -> Vec<u8> {
        (self.0)();
        Vec::new()
    }
}

fn copy(len: usize) -> Simple<impl FnMut()> {
    let from = inputs::pattern(len);
    let to = RefCell::new(vec![0; len]);
    Simple(move || {
        let mut to = to.borrow_mut();
        to.copy_from_slice(black_box(&from));
        black_box(&*to);
    })
}

/// Round trips in one span of time.
const SPAN: u64 = 64;

/// Two threads that wait for each other's store.
struct PingPong {
    spans: Spans,
    line: Arc<AtomicU64>,
    orders: Sender<u64>,
    ready: Receiver<()>,
}

impl PingPong {
    fn new() -> Self {
        cores::stay_on(0);
        let line = Arc::new(AtomicU64::new(0));
        let (orders, incoming) = channel::<u64>();
        let (tell, ready) = channel();
        let echo = Arc::clone(&line);
        // Ends when the job is gone and the channel with it.
        thread::spawn(move || {
            cores::stay_on(1);
            for rounds in incoming {
                if tell.send(()).is_err() {
                    return;
                }
                for round in 1..=rounds {
                    await_value(&echo, 2 * round - 1);
                    // Release, with the Acquire load in `await_value`.
                    echo.store(2 * round, Ordering::Release);
                }
            }
        });
        Self {
            spans: Spans::default(),
            line,
            orders,
            ready,
        }
    }
}

impl Job for PingPong {
    fn run(&mut self, iters: u64) -> Outcome {
        // Relaxed: the channel orders it before the other thread's loads.
        self.line.store(0, Ordering::Relaxed);
        // Whole spans only.
        let rounds = iters.next_multiple_of(SPAN);
        self.orders.send(rounds).expect("the other thread runs");
        self.ready.recv().expect("the other thread runs");
        let mut start = Instant::now();
        for round in 1..=rounds {
            // Release, with the Acquire load in `await_value`.
            self.line.store(2 * round - 1, Ordering::Release);
            await_value(&self.line, 2 * round);
            if round % SPAN == 0 {
                self.spans.push(start.elapsed());
                start = Instant::now();
            }
        }
        let time = self.spans.total().as_secs_f64() * iters as f64 / rounds as f64;
        Outcome {
            time: Duration::from_secs_f64(time),
            extra: [f64::NAN; EXTRAS],
        }
    }

    fn produce(&mut self) -> Vec<u8> {
        self.run(1);
        Vec::new()
    }
}

/// Waits for the other thread; lets it run if there is only one core for both.
fn await_value(line: &AtomicU64, value: u64) {
    let mut spins = 0_u32;
    // Acquire, with the Release stores of both threads.
    while line.load(Ordering::Acquire) != value {
        spins += 1;
        if spins.is_multiple_of(4096) {
            thread::yield_now();
        }
        spin_loop();
    }
}
