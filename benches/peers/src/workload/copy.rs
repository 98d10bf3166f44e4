//! W7: reserve 64 KiB, copy a slice of that length in, drop.
//!
//! The slice begins somewhere else each time: how source and destination lie to each other
//! within a page matters to the speed, and is luck, not the peer.

use std::hint::black_box;

use super::{Case, Job, Outcome, Workload, cases, timed};
use crate::inputs;
use crate::peer::{Build, Reserve};

const LEN: usize = 64 * 1024;
/// Beginnings of the slice, one behind the other.
const STEP: usize = 80;
const PAGE: usize = 4096;

pub(super) fn workloads() -> Vec<Workload> {
    let mut cases: Vec<Case> =
        cases!(Copy() for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, Ntex);
    cases.extend(cases!(Whole() for ZeroPool));
    vec![Workload::new(
        "W7 put_slice 64 KiB",
        "reserve, put_slice 64 KiB, drop",
        1,
        cases,
    )]
}

/// The slice, wherever it begins.
struct Input {
    bytes: Vec<u8>,
    begin: usize,
}

impl Input {
    fn new() -> Self {
        Self {
            bytes: inputs::pattern(LEN + PAGE),
            begin: 0,
        }
    }

    #[inline]
    fn next(&mut self) -> &[u8] {
        self.begin = (self.begin + STEP) % PAGE;
        &self.bytes[self.begin..][..LEN]
    }

    fn first(&self) -> &[u8] {
        &self.bytes[..LEN]
    }
}

struct Copy<P: Build> {
    pool: P::Pool,
    input: Input,
}

impl<P: Build> Copy<P> {
    fn new() -> Self {
        Self {
            pool: P::pool(),
            input: Input::new(),
        }
    }
}

impl<P: Build> Job for Copy<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            let mut buf = P::reserve(&self.pool, LEN);
            P::put_slice(&mut buf, black_box(self.input.next()));
            black_box(&buf);
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        P::bytes_of(&P::build(&self.pool, LEN, |buf| {
            P::put_slice(buf, self.input.first());
        }))
    }
}

/// For who has no builder: everything is written at once.
struct Whole<P: Reserve> {
    pool: P::Pool,
    input: Input,
}

impl<P: Reserve> Whole<P> {
    fn new() -> Self {
        Self {
            pool: P::pool(),
            input: Input::new(),
        }
    }
}

impl<P: Reserve> Job for Whole<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            let buf = P::reserve(&self.pool, LEN);
            let filled = P::fill(buf, black_box(self.input.next()));
            black_box(&filled);
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        let buf = P::reserve(&self.pool, LEN);
        P::contents(&mut P::fill(buf, self.input.first()))
    }
}
