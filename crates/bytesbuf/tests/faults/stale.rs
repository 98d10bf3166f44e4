//! Recycled blocks: what was in them before is never part of what is read after.

use std::mem::MaybeUninit;

use bytesbuf::mem::{GlobalPool, Memory};
use bytesbuf::{BytesBuf, BytesView};

const SECRET: u8 = 0xC5;

/// Fills blocks of every class with the secret, and gives them back.
fn leave_secrets(pool: &GlobalPool) {
    let sizes = [1000, 4000, 16_000, 60_000, 200_000];
    let secrets: Vec<_> = sizes
        .iter()
        .cycle()
        .take(20)
        .map(|&bytes| {
            let mut buf = pool.reserve(bytes);
            let room = buf.remaining_capacity();
            buf.put_byte_repeated(SECRET, room);
            buf.consume_all()
        })
        .collect();
    assert!(secrets.iter().all(|view| view.first_slice()[0] == SECRET));
}

#[track_caller]
fn clean(view: &BytesView, len: usize) {
    assert_eq!(view.len(), len);
    let seen = view.slices().flat_map(|(slice, _)| slice);
    assert!(!seen.copied().any(|byte| byte == SECRET), "of {len} bytes");
}

/// Writes `len` bytes in one of the ways that may leave out some capacity.
fn write(buf: &mut BytesBuf, len: usize, way: usize) {
    match way {
        0 => buf.put_byte_repeated(1, len),
        1 => {
            // Less than what the first slices have, more than the first alone.
            let mut write = buf.begin_vectored_write(Some(len));
            let mut slices: Vec<_> = write.slices_mut().collect();
            for (slice, _) in &mut slices {
                slice.fill(MaybeUninit::new(2));
            }
            drop(slices);
            // SAFETY: all of the slices, which have `len` bytes, are written.
            unsafe { write.commit(len) };
        }
        2 => {
            let mut rest = buf.split_off_remaining(buf.remaining_capacity() / 2);
            let front = len.min(buf.remaining_capacity());
            buf.put_byte_repeated(3, front);
            rest.put_byte_repeated(4, len - front);
            buf.put_bytes(rest.consume_all());
        }
        _ => {
            buf.begin_vectored_write(None);
            buf.put_bytes(BytesView::from_static(b"a"));
            buf.put_byte_repeated(5, len - 1);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "writes 30 MB a byte at a time")]
fn recycled_blocks_show_nothing_of_their_past() {
    let pool = GlobalPool::new();
    for way in 0..4 {
        for len in [1, 10, 1000, 1024, 5000, 65_536, 70_000, 150_000] {
            leave_secrets(&pool);
            let mut buf = Memory::reserve(&pool, len + len / 2);
            write(&mut buf, len, way);
            clean(&buf.peek(), len);
            let front = buf.consume(len / 2);
            clean(&front, len / 2);
            buf.reserve(70_000, &pool);
            buf.put_byte(6);
            clean(&BytesView::from(buf), len - len / 2 + 1);
            let mut copy = front.clone();
            copy.detach(&pool);
            clean(&copy, len / 2);
        }
    }
    assert_eq!(pool.stats().bytes_in_use(), 0);
}
