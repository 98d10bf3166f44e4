//! W11: a stream cut into frames of 100 bytes, split off the builder; W11v: off a view.
//!
//! The stream comes in chunks of 164 frames, which is a little more than 16 KiB: so now
//! and then a frame lies in two blocks.

use std::hint::black_box;

use super::{Job, Outcome, Workload, cases, timed, use_and_drop};
use crate::inputs;
use crate::peer::Share;

const FRAME: usize = 100;
const FRAMES: usize = 164;

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        Workload::new(
            "W11 frames off the builder",
            "stream in, 100-byte frames split off the builder, a frame",
            FRAMES as u64,
            cases!(OffBuilder() for Ours, Bb04, Bb12, BytesCrate, Ntex),
        ),
        Workload::new(
            "W11v frames off a view",
            "the same, split off a view, a frame",
            FRAMES as u64,
            cases!(OffView() for Ours, Bb04, Bb12, BytesCrate, Ntex),
        ),
    ]
}

struct Stream<P: Share> {
    pool: P::Pool,
    buf: P::Buf,
    chunk: Vec<u8>,
}

impl<P: Share> Stream<P> {
    fn new() -> Self {
        let pool = P::pool();
        Self {
            buf: P::reserve(&pool, FRAME * FRAMES),
            pool,
            chunk: inputs::pattern(FRAME * FRAMES),
        }
    }

    /// One chunk arrives in the builder.
    #[inline]
    fn arrive(&mut self) {
        P::refill(&self.pool, &mut self.buf, self.chunk.len());
        P::put_slice(&mut self.buf, black_box(&self.chunk));
    }

    #[inline]
    fn off_builder(&mut self, mut each: impl FnMut(P::View)) {
        self.arrive();
        while P::filled_len(&self.buf) >= FRAME {
            each(P::take(&mut self.buf, FRAME));
        }
    }

    #[inline]
    fn off_view(&mut self, mut each: impl FnMut(P::View)) {
        self.arrive();
        let mut view = P::take_all(&mut self.buf);
        for _ in 0..FRAMES {
            each(P::split_to(&mut view, FRAME));
        }
    }
}

/// Five chunks: more than one block of 64 KiB.
const CHECKED: usize = 5;

struct OffBuilder<P: Share>(Stream<P>);

impl<P: Share> OffBuilder<P> {
    fn new() -> Self {
        Self(Stream::new())
    }
}

impl<P: Share> Job for OffBuilder<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || self.0.off_builder(use_and_drop))
    }

    fn produce(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..CHECKED {
            self.0
                .off_builder(|frame| bytes.extend(P::bytes_of(&frame)));
        }
        bytes
    }
}

struct OffView<P: Share>(Stream<P>);

impl<P: Share> OffView<P> {
    fn new() -> Self {
        Self(Stream::new())
    }
}

impl<P: Share> Job for OffView<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || self.0.off_view(use_and_drop))
    }

    fn produce(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..CHECKED {
            self.0.off_view(|frame| bytes.extend(P::bytes_of(&frame)));
        }
        bytes
    }
}
