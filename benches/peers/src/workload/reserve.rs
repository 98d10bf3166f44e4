//! W1: reserve and drop, warm, on one thread. W1b: 32 live at a time.

use std::hint::black_box;

use super::{Job, Outcome, Workload, cases, timed};
use crate::inputs;
use crate::peer::Reserve;

/// Requests in bytes, as the rows call them.
pub(super) const SIZES: [(&str, usize); 5] = [
    ("64 B", 64),
    ("1 KiB", 1024),
    ("4 KiB", 4 * 1024),
    ("64 KiB", 64 * 1024),
    ("1 MiB", 1024 * 1024),
];

/// Buffers that are alive at a time in W1b.
const LIVE: usize = 32;

pub(super) fn workloads() -> Vec<Workload> {
    let mut workloads: Vec<_> = SIZES
        .iter()
        .map(|&(label, len)| {
            Workload::new(
                format!("W1 {label}"),
                "reserve and drop, warm, one thread",
                1,
                cases!(ReserveDrop(len) for
                    Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, ZeroPool, Ntex),
            )
        })
        .collect();
    workloads.push(Workload::new(
        "W1 1 MiB contiguous",
        "the same, ours in one block; 0.4.2 and 0.12 have no way to ask for that",
        1,
        cases!(ReserveDrop(1024 * 1024) for
            OursContiguous, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, ZeroPool, Ntex),
    ));
    workloads.push(Workload::new(
        "W1b 32 x 1 KiB",
        "32 live, then all dropped, a buffer",
        LIVE as u64,
        cases!(Burst() for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, ZeroPool, Ntex),
    ));
    workloads
}

struct ReserveDrop<P: Reserve> {
    pool: P::Pool,
    len: usize,
}

impl<P: Reserve> ReserveDrop<P> {
    fn new(len: usize) -> Self {
        Self {
            pool: P::pool(),
            len,
        }
    }
}

impl<P: Reserve> Job for ReserveDrop<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            let buf = P::reserve(&self.pool, black_box(self.len));
            black_box(&buf);
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        let buf = P::reserve(&self.pool, self.len);
        P::contents(&mut P::fill(buf, &inputs::pattern(self.len)))
    }
}

struct Burst<P: Reserve> {
    pool: P::Pool,
    live: Vec<P::Buf>,
}

impl<P: Reserve> Burst<P> {
    fn new() -> Self {
        Self {
            pool: P::pool(),
            live: Vec::with_capacity(LIVE),
        }
    }
}

impl<P: Reserve> Job for Burst<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            for _ in 0..LIVE {
                self.live.push(P::reserve(&self.pool, black_box(1024)));
            }
            black_box(&mut self.live).clear();
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        let input = inputs::pattern(LIVE * 1024);
        let mut filled: Vec<_> = input
            .chunks(1024)
            .map(|part| P::fill(P::reserve(&self.pool, part.len()), part))
            .collect();
        filled.iter_mut().flat_map(P::contents).collect()
    }
}
