//! Blocks are apart: each is written from end to end, and has its content when all of
//! the others are written too. What the pool notes about them is not in reach.
#![expect(unsafe_code, reason = "writes and reads blocks")]

use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;
use std::{slice, thread};

use bytesbuf_core::{Block, BlockRefBatch};
use bytesbuf_pool::{GlobalPool, Wipe};

use crate::util::{SIZES, rounds};

/// A block that is full of bytes which no neighbour has.
struct Full {
    memory: NonNull<MaybeUninit<u8>>,
    len: usize,
    mark: u8,
    // Goes last: it keeps the memory.
    _batch: BlockRefBatch,
}

// SAFETY: the memory belongs to the batch, which may be sent.
unsafe impl Send for Full {}

impl Full {
    fn new(block: Block, mark: u8) -> Self {
        let (memory, len, batch): (_, NonZero<u32>, _) = block.open();
        let len = len.get() as usize;
        // SAFETY: in bounds; an opened block is the caller's to write.
        unsafe { memory.write_bytes(mark, len) };
        Self {
            memory,
            len,
            mark,
            _batch: batch,
        }
    }

    #[track_caller]
    fn check(&self) {
        // SAFETY: all of it was written by `new`, and nobody writes it any more.
        let bytes = unsafe { slice::from_raw_parts(self.memory.as_ptr().cast::<u8>(), self.len) };
        // Miri sees a write to a byte of another by itself.
        let step = if cfg!(miri) { 1021 } else { 1 };
        let right = |byte: Option<&u8>| byte.is_none_or(|&byte| byte == self.mark);
        let wrong = bytes
            .iter()
            .step_by(step)
            .position(|byte| !right(Some(byte)));
        assert_eq!(wrong, None, "of {} bytes", self.len);
        assert!(right(bytes.last()), "of {} bytes", self.len);
    }
}

fn fill(pool: &GlobalPool, count: usize, kept: &mut Vec<Full>) {
    for number in 0..count {
        let mark = (kept.len() * 7 + number) as u8;
        let size = SIZES[number % SIZES.len()];
        kept.push(Full::new(pool.rent(size).unwrap(), mark));
        if number % 8 == 0 {
            let bytes = 70_000 + 10_000 * (number % 5);
            kept.push(Full::new(pool.rent_contiguous(bytes).unwrap(), !mark));
        }
    }
}

fn check(pool: &GlobalPool) {
    let mut kept = Vec::new();
    for round in 0..6 {
        fill(pool, rounds(60), &mut kept);
        kept.iter().for_each(Full::check);
        // Half of them go, here or elsewhere, and their successors are written.
        let mut number = 0;
        let (stay, go): (Vec<_>, Vec<_>) = kept.drain(..).partition(|_| {
            number += 1;
            number % 2 == 0
        });
        kept = stay;
        if round % 2 == 0 {
            drop(go);
        } else {
            thread::spawn(move || drop(go)).join().unwrap();
        }
        if round == 3 {
            pool.trim();
        }
        kept.iter().for_each(Full::check);
    }
    let in_use: usize = kept.iter().map(|full| full.len).sum();
    assert_eq!(pool.stats().bytes_in_use(), in_use);
    drop(kept);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

#[test]
fn every_byte_of_a_block_is_its_own() {
    check(&GlobalPool::new());
}

#[test]
fn with_every_alignment_and_every_way_to_wipe() {
    for (alignment, wipe) in [
        (1, Wipe::OnReuse),
        (256, Wipe::OnRelease),
        (4096, Wipe::Never),
    ] {
        let builder = GlobalPool::builder().alignment(alignment).wipe(wipe);
        check(&builder.build().unwrap());
    }
    let pass_through = GlobalPool::builder().pass_through(true);
    check(&pass_through.build().unwrap());
}
