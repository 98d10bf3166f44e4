//! W12: a header, and a payload behind it that is not copied; consumed, iterated,
//! dropped.
//!
//! Whoever has no sequence of several parts holds the two in an array.

use std::hint::black_box;

use super::{Job, Outcome, Workload, cases, timed};
use crate::inputs;
use crate::peer::Gather;

const HEADER_LEN: usize = 16;
const PAYLOAD_LEN: usize = 1024;

pub(super) fn workloads() -> Vec<Workload> {
    vec![Workload::new(
        "W12 header + payload",
        "payload appended without copying, iterated, dropped",
        1,
        cases!(Append() for Ours, Bb04, Bb12, BytesCrate, Ntex),
    )]
}

struct Append<P: Gather> {
    pool: P::Pool,
    payload: P::View,
}

impl<P: Gather> Append<P> {
    fn new() -> Self {
        let pool = P::pool();
        let payload = P::build(&pool, PAYLOAD_LEN, |buf| {
            P::put_slice(buf, &inputs::pattern(PAYLOAD_LEN));
        });
        drop(P::share(&payload));
        Self { pool, payload }
    }

    #[inline]
    fn frame(&self) -> P::Framed {
        P::frame(
            &self.pool,
            HEADER_LEN,
            |buf| {
                P::put_u64_be(buf, 0x0123_4567_89AB_CDEF);
                P::put_u64_be(buf, PAYLOAD_LEN as u64);
            },
            &self.payload,
        )
    }
}

impl<P: Gather> Job for Append<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            let framed = self.frame();
            P::parts(black_box(&framed), |part| {
                black_box(part);
            });
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        P::parts(&self.frame(), |part| bytes.extend_from_slice(part));
        bytes
    }
}
