//! W7: reserve 64 KiB, copy a slice of that length in, drop.
//!
//! The slice begins somewhere else each time: how source and destination lie to each other
//! within a page matters to the speed, and is luck, not the peer.

use std::hint::black_box;

use super::{Job, Outcome, Workload, cases, timed};
use crate::inputs;
use crate::peer::Build;

const LEN: usize = 64 * 1024;
/// Beginnings of the slice, one behind the other.
const STEP: usize = 80;
const PAGE: usize = 4096;

pub(super) fn workloads() -> Vec<Workload> {
    vec![Workload::new(
        "W7 put_slice 64 KiB",
        "reserve, put_slice 64 KiB, drop",
        1,
        cases!(Copy() for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, Ntex),
    )]
}

struct Copy<P: Build> {
    pool: P::Pool,
    input: Vec<u8>,
    begin: usize,
}

impl<P: Build> Copy<P> {
    fn new() -> Self {
        Self {
            pool: P::pool(),
            input: inputs::pattern(LEN + PAGE),
            begin: 0,
        }
    }
}

impl<P: Build> Job for Copy<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            self.begin = (self.begin + STEP) % PAGE;
            let input = &self.input[self.begin..][..LEN];
            let mut buf = P::reserve(&self.pool, LEN);
            P::put_slice(&mut buf, black_box(input));
            black_box(&buf);
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        P::bytes_of(&P::build(&self.pool, LEN, |buf| {
            P::put_slice(buf, &self.input[..LEN]);
        }))
    }
}
