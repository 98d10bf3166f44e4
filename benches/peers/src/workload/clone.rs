//! W3: clone a view of 1 and of 16 spans, drop the clone.

use super::{Job, Outcome, Workload, cases, timed, use_and_drop};
use crate::inputs;
use crate::peer::{Gather, Share};

/// Bytes of each span.
const SPAN: usize = 64;
const SPANS: usize = 16;

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        Workload::new(
            "W3 1 span",
            "clone and drop",
            1,
            cases!(One() for Ours, Bb04, Bb12, BytesCrate, Ntex),
        ),
        Workload::new(
            "W3 16 spans",
            "clone and drop; bytes and ntex in a VecDeque",
            1,
            cases!(Many() for Ours, Bb04, Bb12, BytesCrate, Ntex),
        ),
    ]
}

/// A view of `bytes` that was shared before: a fresh one of the bytes crate becomes
/// shareable at its first clone.
fn shared<P: Share>(pool: &P::Pool, bytes: &[u8]) -> P::View {
    let view = P::build(pool, bytes.len(), |buf| P::put_slice(buf, bytes));
    drop(P::share(&view));
    view
}

struct One<P: Share> {
    view: P::View,
}

impl<P: Share> One<P> {
    fn new() -> Self {
        Self {
            view: shared::<P>(&P::pool(), &inputs::pattern(SPAN)),
        }
    }
}

impl<P: Share> Job for One<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || use_and_drop(P::share(&self.view)))
    }

    fn produce(&mut self) -> Vec<u8> {
        P::bytes_of(&P::share(&self.view))
    }
}

struct Many<P: Gather> {
    many: P::Many,
}

impl<P: Gather> Many<P> {
    fn new() -> Self {
        let pool = P::pool();
        let views = inputs::pattern(SPAN * SPANS)
            .chunks(SPAN)
            .map(|part| shared::<P>(&pool, part))
            .collect();
        Self {
            many: P::gather(views),
        }
    }
}

impl<P: Gather> Job for Many<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || use_and_drop(P::share_many(&self.many)))
    }

    fn produce(&mut self) -> Vec<u8> {
        let mut copy = P::share_many(&self.many);
        (0..SPAN * SPANS / 8)
            .flat_map(|_| P::get_u64_le_many(&mut copy).to_le_bytes())
            .collect()
    }
}
