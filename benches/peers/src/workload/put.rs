//! W6: put numbers and bytes until 1 MiB is full.

use std::hint::black_box;

use super::{Case, Job, Outcome, Workload, cases, timed, use_and_drop};
use crate::peer::{Build, Peer};

const LEN: usize = 1024 * 1024;

/// What is put.
#[derive(Clone, Copy)]
enum Item {
    U64,
    Byte,
}

pub(super) fn workloads() -> Vec<Workload> {
    [
        (
            "W6 u64",
            Item::U64,
            "put u64 until 1 MiB is full, a put",
            LEN / 8,
        ),
        (
            "W6 byte",
            Item::Byte,
            "put byte until 1 MiB is full, a put",
            LEN,
        ),
    ]
    .into_iter()
    .map(|(id, item, what, ops)| {
        let mut cases: Vec<Case> =
            cases!(Put(item) for Ours, Bb04, Bb12, BytesCrate, Glibc, Mimalloc, Ntex);
        cases.push(Case::new(Peer::Raw, move || Slice::new(item)));
        Workload::new(id, what, ops as u64, cases)
    })
    .collect()
}

struct Put<P: Build> {
    pool: P::Pool,
    item: Item,
}

impl<P: Build> Put<P> {
    fn new(item: Item) -> Self {
        Self {
            pool: P::pool(),
            item,
        }
    }

    #[inline]
    fn full(&self) -> P::View {
        P::build(&self.pool, LEN, |buf| match self.item {
            Item::U64 => {
                for value in 0..(LEN / 8) as u64 {
                    P::put_u64_le(buf, value);
                }
            }
            Item::Byte => {
                for value in 0..LEN {
                    P::put_u8(buf, value as u8);
                }
            }
        })
    }
}

impl<P: Build> Job for Put<P> {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || use_and_drop(self.full()))
    }

    fn produce(&mut self) -> Vec<u8> {
        P::bytes_of(&self.full())
    }
}

/// What writing costs without any type around it: into memory that is there already.
struct Slice {
    bytes: Vec<u8>,
    item: Item,
}

impl Slice {
    fn new(item: Item) -> Self {
        Self {
            bytes: vec![0; LEN],
            item,
        }
    }

    #[inline]
    fn fill(&mut self) {
        let bytes = black_box(self.bytes.as_mut_slice());
        match self.item {
            Item::U64 => {
                let (words, _) = bytes.as_chunks_mut::<8>();
                for (value, word) in words.iter_mut().enumerate() {
                    *word = (value as u64).to_le_bytes();
                }
            }
            Item::Byte => {
                for (value, byte) in bytes.iter_mut().enumerate() {
                    *byte = value as u8;
                }
            }
        }
    }
}

impl Job for Slice {
    fn run(&mut self, iters: u64) -> Outcome {
        timed(iters, || {
            self.fill();
            black_box(&self.bytes);
        })
    }

    fn produce(&mut self) -> Vec<u8> {
        self.fill();
        self.bytes.clone()
    }
}
