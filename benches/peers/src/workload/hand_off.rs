//! W8b: 1,024 buffers of 1 KiB are rented on one thread and dropped on another.
//!
//! In bulk, since a channel between the two costs more than a buffer does. Both sides
//! stay on cores of their own and read the clock, one after the other: the time of the hand-over itself (a wake-up of
//! the operating system) is in neither.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{EXTRAS, Job, Outcome, Spans, Unit, Workload, cases, ns_per};
use crate::cores;
use crate::inputs;
use crate::peer::Reserve;

const BUFFERS: usize = 1024;
const LEN: usize = 1024;

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        Workload::new(
            "W8b hand-off",
            "rent 1,024 x 1 KiB here, drop there, a buffer",
            BUFFERS as u64,
            cases!(HandOff() for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, ZeroPool, Ntex),
        )
        .row("W8b freeing side", Unit::Ns, 0),
    ]
}

struct HandOff<P: Reserve> {
    pool: P::Pool,
    /// Comes back empty, so that its memory is not part of the work.
    live: Vec<P::Buf>,
    there: Sender<Vec<P::Buf>>,
    back: Receiver<(Vec<P::Buf>, Duration)>,
    renting: Spans,
    freeing: Spans,
}

impl<P: Reserve> HandOff<P> {
    fn new() -> Self {
        cores::stay_on(0);
        let (there, arrives) = channel::<Vec<P::Buf>>();
        let (send_back, back) = channel();
        // Ends when the job is gone and the channel with it.
        thread::spawn(move || {
            cores::stay_on(1);
            for mut live in arrives {
                let start = Instant::now();
                black_box(&mut live).clear();
                if send_back.send((live, start.elapsed())).is_err() {
                    return;
                }
            }
        });
        Self {
            pool: P::pool(),
            live: Vec::with_capacity(BUFFERS),
            there,
            back,
            renting: Spans::default(),
            freeing: Spans::default(),
        }
    }
}

impl<P: Reserve> Job for HandOff<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        for _ in 0..iters {
            let mut live = std::mem::take(&mut self.live);
            let start = Instant::now();
            for _ in 0..BUFFERS {
                live.push(P::reserve(&self.pool, black_box(LEN)));
            }
            black_box(&live);
            self.renting.push(start.elapsed());
            self.there.send(live).expect("the freeing thread runs");
            let (empty, took) = self.back.recv().expect("the freeing thread runs");
            self.live = empty;
            self.freeing.push(took);
        }
        let renting = self.renting.total();
        let freeing = self.freeing.total();
        let mut extra = [f64::NAN; EXTRAS];
        extra[0] = ns_per(freeing, iters * BUFFERS as u64);
        Outcome {
            time: renting + freeing,
            extra,
        }
    }

    fn produce(&mut self) -> Vec<u8> {
        let input = inputs::pattern(LEN);
        let pool = self.pool.clone();
        let filled = P::fill(P::reserve(&pool, LEN), &input);
        thread::spawn(move || {
            let mut filled = filled;
            P::contents(&mut filled)
        })
        .join()
        .expect("the reader does not panic")
    }
}
