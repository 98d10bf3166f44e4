//! W4: a view of the first half of a view, dropped.

use std::hint::black_box;

use super::{Job, Outcome, Workload, cases, timed, use_and_drop};
use crate::inputs;
use crate::peer::Share;

const LEN: usize = 1024;

pub(super) fn workloads() -> Vec<Workload> {
    vec![Workload::new(
        "W4 range",
        "a view of the first half, dropped",
        1,
        cases!(FirstHalf() for Ours, Bb04, Bb12, BytesCrate, Ntex),
    )]
}

struct FirstHalf<P: Share> {
    view: P::View,
}

impl<P: Share> FirstHalf<P> {
    fn new() -> Self {
        let view = P::build(&P::pool(), LEN, |buf| {
            P::put_slice(buf, &inputs::pattern(LEN))
        });
        drop(P::share(&view));
        Self { view }
    }
}

impl<P: Share> Job for FirstHalf<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            use_and_drop(P::first(&self.view, black_box(LEN / 2)));
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        P::bytes_of(&P::first(&self.view, LEN / 2))
    }
}
