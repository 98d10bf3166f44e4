//! W5: read 1 MiB as numbers. W5m: the same over spans of 4 KiB.
//!
//! Each comes twice. A plain sum lets the compiler vectorise over contiguous bytes,
//! which says little about a parser; so the other row uses each value on its own.

use std::hint::black_box;

use super::{Case, Job, Outcome, Workload, cases, timed};
use crate::inputs;
use crate::peer::{Gather, Peer, Share};

const LEN: usize = 1024 * 1024;
const READS: usize = LEN / 8;
const SPAN: usize = 4 * 1024;

pub(super) fn workloads() -> Vec<Workload> {
    let workload = |id: &str, what: &str, cases| Workload::new(id, what, READS as u64, cases);
    let mut contiguous: Vec<Case> =
        cases!(Contiguous(false) for Ours, Bb04, Bb12, BytesCrate, Ntex);
    contiguous.push(Case::new(Peer::Raw, || Slice::new(false)));
    let mut contiguous_each: Vec<Case> =
        cases!(Contiguous(true) for Ours, Bb04, Bb12, BytesCrate, Ntex);
    contiguous_each.push(Case::new(Peer::Raw, || Slice::new(true)));
    vec![
        workload(
            "W5 sum",
            "get u64, 1 MiB contiguous, summed, a get",
            contiguous,
        ),
        workload(
            "W5 each",
            "the same, each value used, a get",
            contiguous_each,
        ),
        workload(
            "W5m sum",
            "get u64 over 4 KiB spans, summed, a get",
            cases!(Spans(false) for Ours, Bb04, Bb12, BytesCrate, Ntex),
        ),
        workload(
            "W5m each",
            "the same, each value used, a get",
            cases!(Spans(true) for Ours, Bb04, Bb12, BytesCrate, Ntex),
        ),
    ]
}

/// The sum of all values; with `each`, every one is made known to the compiler.
#[inline]
fn sum(each: bool, mut get: impl FnMut() -> u64) -> u64 {
    let mut sum = 0_u64;
    if each {
        for _ in 0..READS {
            sum = sum.wrapping_add(black_box(get()));
        }
    } else {
        for _ in 0..READS {
            sum = sum.wrapping_add(get());
        }
    }
    sum
}

struct Contiguous<P: Share> {
    view: P::View,
    each: bool,
}

impl<P: Share> Contiguous<P> {
    fn new(each: bool) -> Self {
        Self {
            view: P::contiguous(inputs::pattern(LEN)),
            each,
        }
    }

    #[inline]
    fn sum(&self) -> u64 {
        let mut view = P::share(&self.view);
        sum(self.each, || P::get_u64_le(&mut view))
    }
}

impl<P: Share> Job for Contiguous<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            black_box(self.sum());
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        self.sum().to_le_bytes().into()
    }
}

struct Spans<P: Gather> {
    many: P::Many,
    each: bool,
}

impl<P: Gather> Spans<P> {
    fn new(each: bool) -> Self {
        let pool = P::pool();
        let views = inputs::pattern(LEN)
            .chunks(SPAN)
            .map(|part| P::build(&pool, SPAN, |buf| P::put_slice(buf, part)))
            .collect();
        Self {
            many: P::gather(views),
            each,
        }
    }

    #[inline]
    fn sum(&self) -> u64 {
        let mut many = P::share_many(&self.many);
        sum(self.each, || P::get_u64_le_many(&mut many))
    }
}

impl<P: Gather> Job for Spans<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            black_box(self.sum());
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        self.sum().to_le_bytes().into()
    }
}

/// What reading costs without any type around it.
struct Slice {
    bytes: Vec<u8>,
    each: bool,
}

impl Slice {
    fn new(each: bool) -> Self {
        Self {
            bytes: inputs::pattern(LEN),
            each,
        }
    }

    #[inline]
    fn sum(&self) -> u64 {
        let (words, _) = black_box(self.bytes.as_slice()).as_chunks::<8>();
        let values = words.iter().map(|word| u64::from_le_bytes(*word));
        if self.each {
            values.map(black_box).fold(0, u64::wrapping_add)
        } else {
            values.fold(0, u64::wrapping_add)
        }
    }
}

impl Job for Slice {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            black_box(self.sum());
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        self.sum().to_le_bytes().into()
    }
}
