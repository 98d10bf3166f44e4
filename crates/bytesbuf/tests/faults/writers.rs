//! A byte has one writer: whatever is cut, shared, lent on and joined, no two buffers
//! can write the same byte, and no buffer can write what a view shows.

use std::mem::MaybeUninit;
use std::ops::Range;

use bytesbuf::mem::{CallbackMemory, Memory};
use bytesbuf::{BytesBuf, BytesView};

use crate::counting::Counting;

/// A small generator of numbers (xorshift, Marsaglia 2003): reproducible by seed.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

/// Addresses that the buffer may write.
fn writable(buf: &mut BytesBuf) -> Vec<Range<usize>> {
    let mut write = buf.begin_vectored_write(None);
    let slices = write.slices_mut();
    let ranges = slices.map(|(slice, _)| {
        let start = slice.as_ptr().addr();
        start..start + slice.len()
    });
    ranges.filter(|range| !range.is_empty()).collect()
}

/// Addresses that the view shows.
fn readable(view: &BytesView) -> Vec<Range<usize>> {
    let slices = view.slices();
    let ranges = slices.map(|(slice, _)| {
        let start = slice.as_ptr().addr();
        start..start + slice.len()
    });
    ranges.collect()
}

/// What somebody may write is in nobody else's hands.
fn check_disjoint(buffers: &mut [BytesBuf], views: &[(BytesView, Vec<u8>)], seed: u64) {
    let mut writes: Vec<_> = buffers.iter_mut().flat_map(writable).collect();
    writes.sort_by_key(|range| range.start);
    for pair in writes.windows(2) {
        assert!(pair[0].end <= pair[1].start, "two writers, seed {seed}");
    }
    let data = buffers.iter().map(BytesBuf::peek);
    let shown = views.iter().map(|(view, _)| view.clone()).chain(data);
    for range in shown.flat_map(|view| readable(&view)) {
        let behind = writes.partition_point(|write| write.end <= range.start);
        let apart = writes
            .get(behind)
            .is_none_or(|write| write.start >= range.end);
        assert!(apart, "what is shown can be written, seed {seed}");
    }
}

fn write(buf: &mut BytesBuf, mark: u8, count: usize, way: usize) {
    match way {
        0 => buf.put_byte_repeated(mark, count),
        1 => buf.put_slice(vec![mark; count]),
        2 => {
            let mut write = buf.begin_vectored_write(None);
            for (slice, _) in write.slices_mut() {
                slice.fill(MaybeUninit::new(mark));
            }
            // SAFETY: all slices are written.
            unsafe { write.commit(count) };
        }
        _ => {
            let mut left = count;
            while left > 0 {
                let slice = buf.first_unfilled_slice();
                let now = slice.len().min(left);
                slice[..now].fill(MaybeUninit::new(mark));
                // SAFETY: these have just been written.
                unsafe { buf.advance(now) };
                left -= now;
            }
        }
    }
}

fn run(seed: u64, memory: &Counting, steps: usize) {
    let mut rng = Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut buffers: Vec<BytesBuf> = vec![BytesBuf::new()];
    let mut views: Vec<(BytesView, Vec<u8>)> = Vec::new();
    for step in 0..steps {
        let mut buf = buffers.swap_remove(rng.below(buffers.len()));
        let room = rng.below(buf.remaining_capacity() + 1);
        match rng.below(7) {
            0 => {
                let more = buf.remaining_capacity() + rng.below(20);
                buf.reserve(more, memory);
            }
            1 => buffers.push(buf.split_off_remaining(room)),
            2 => {
                // The rest is lent on: its new owner adds it to what it has.
                let rest = std::sync::Mutex::new(Some(buf.split_off_remaining(room)));
                let lender =
                    CallbackMemory::new(move |_| rest.lock().unwrap().take().unwrap_or_default());
                if let Some(other) = buffers.last_mut() {
                    let wanted = other.remaining_capacity() + room;
                    other.reserve(wanted, &lender);
                }
            }
            3 => {
                let view = buf.consume(rng.below(buf.len() + 1));
                let bytes = view.to_vec();
                views.push((view, bytes));
            }
            4 if !views.is_empty() => {
                let (view, _) = views.swap_remove(rng.below(views.len()));
                buf.put_bytes(view);
            }
            _ => write(&mut buf, step as u8, room, rng.below(4)),
        }
        buffers.push(buf);
        if views.len() > 8 {
            views.swap_remove(0);
        }
        if buffers.len() > 6 {
            buffers.remove(0);
        }
        check_disjoint(&mut buffers, &views, seed);
        for (view, bytes) in &views {
            assert_eq!(view, bytes, "changed under its reader, seed {seed}");
        }
    }
}

#[test]
fn no_byte_has_two_writers() {
    let (seeds, steps) = if cfg!(miri) { (1, 40) } else { (150, 120) };
    for seed in 1..=seeds {
        for memory in [1, 5, 32].into_iter().flat_map(Counting::both) {
            run(seed, &memory, steps);
            assert_eq!(memory.out(), 0, "seed {seed}");
        }
    }
}

/// Both halves of a block are written at once, while a view of it is read.
#[test]
fn two_buffers_write_one_block_from_two_threads() {
    for memory in Counting::both(64) {
        for cut in [1, 7, 8, 31, 63] {
            let mut left = memory.reserve(64);
            left.put_byte(b'!');
            let view = left.peek();
            let mut right = left.split_off_remaining(64 - cut);
            std::thread::scope(|scope| {
                let room = left.remaining_capacity();
                scope.spawn(move || {
                    left.put_byte_repeated(b'l', room);
                    assert_eq!(left.consume_all().range(1..), vec![b'l'; room]);
                });
                scope.spawn(move || {
                    let room = right.remaining_capacity();
                    right.put_byte_repeated(b'r', room);
                    assert_eq!(right.consume_all(), vec![b'r'; room]);
                });
                assert_eq!(view, b"!");
            });
            drop(view);
            assert_eq!(memory.out(), 0);
        }
    }
}
