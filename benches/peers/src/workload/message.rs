//! W2: a 128-byte message in a new builder. W2s: in one that lives on.

use std::hint::black_box;

use super::{Job, Outcome, Workload, cases, timed, use_and_drop};
use crate::inputs::{self, MESSAGE_LEN, PAYLOAD_LEN};
use crate::peer::{Build, Share};

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        Workload::new(
            "W2 message",
            "a 128-byte message in a new builder, frozen, dropped",
            1,
            cases!(NewBuilder() for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, Ntex),
        ),
        Workload::new(
            "W2s message",
            "the same in a builder that lives on",
            1,
            cases!(LivingBuilder() for Ours, Bb04, Bb12, BytesCrate, Ntex),
        ),
    ]
}

/// A header of four numbers, then the payload.
#[inline]
fn write<P: Build>(buf: &mut P::Buf, payload: &[u8; PAYLOAD_LEN]) {
    P::put_u16_be(buf, 0x1234);
    P::put_u16_be(buf, 0x0102);
    P::put_u32_be(buf, PAYLOAD_LEN as u32);
    P::put_u64_be(buf, 0x0123_4567_89AB_CDEF);
    P::put_slice(buf, payload);
}

fn payload() -> [u8; PAYLOAD_LEN] {
    let mut payload = [0; PAYLOAD_LEN];
    payload.copy_from_slice(&inputs::pattern(PAYLOAD_LEN));
    payload
}

struct NewBuilder<P: Build> {
    pool: P::Pool,
    payload: [u8; PAYLOAD_LEN],
}

impl<P: Build> NewBuilder<P> {
    fn new() -> Self {
        Self {
            pool: P::pool(),
            payload: payload(),
        }
    }
}

impl<P: Build> Job for NewBuilder<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            let payload = black_box(&self.payload);
            use_and_drop(P::build(&self.pool, MESSAGE_LEN, |buf| {
                write::<P>(buf, payload);
            }));
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        P::bytes_of(&P::build(&self.pool, MESSAGE_LEN, |buf| {
            write::<P>(buf, &self.payload);
        }))
    }
}

struct LivingBuilder<P: Share> {
    pool: P::Pool,
    buf: P::Buf,
    payload: [u8; PAYLOAD_LEN],
}

impl<P: Share> LivingBuilder<P> {
    fn new() -> Self {
        let pool = P::pool();
        Self {
            buf: P::reserve(&pool, 1024),
            pool,
            payload: payload(),
        }
    }

    #[inline]
    fn message(&mut self) -> P::View {
        P::refill(&self.pool, &mut self.buf, MESSAGE_LEN);
        write::<P>(&mut self.buf, black_box(&self.payload));
        P::take_all(&mut self.buf)
    }
}

impl<P: Share> Job for LivingBuilder<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || use_and_drop(self.message()))
    }

    fn produce(&mut self) -> Vec<u8> {
        // More than one block's worth.
        (0..20).flat_map(|_| P::bytes_of(&self.message())).collect()
    }
}
