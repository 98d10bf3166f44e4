//! Of a pool that wipes, only what was written through a buffer is overwritten, and all
//! of that.
#![expect(unsafe_code, reason = "looks at what a block held before")]

use bytesbuf::mem::{Budget, BudgetedMemory, GlobalPool, Memory, Wipe};
use bytesbuf::{BytesBuf, BytesView};

const BLOCK: usize = 1024;
const MARK: u8 = 0xC5;

/// Marks a whole block behind the buffer's back, uses the buffer, drops what that left,
/// and counts the zeroes at the front of the block.
fn wiped<R>(wipe: Wipe, wrap: bool, using: impl Fn(BytesBuf, &GlobalPool) -> R) -> usize {
    let pool = GlobalPool::builder().wipe(wipe).build().unwrap();
    let mut buf = if wrap {
        BudgetedMemory::new(pool.clone(), &Budget::new(1 << 20)).reserve(1)
    } else {
        pool.reserve(1)
    };
    let block = buf.first_unfilled_slice();
    assert_eq!(block.len(), BLOCK);
    let address = block.as_ptr();
    for byte in block {
        byte.write(MARK);
    }
    drop(using(buf, &pool));
    let mut others = Vec::new();
    loop {
        let mut again = pool.reserve(1);
        if again.first_unfilled_slice().as_ptr() == address {
            let bytes = again.first_unfilled_slice();
            // SAFETY: all of the block was written above.
            let bytes = bytes.iter().map(|byte| unsafe { byte.assume_init() });
            let content: Vec<u8> = bytes.collect();
            let zeroes = content.iter().take_while(|byte| **byte == 0).count();
            assert!(content[zeroes..].iter().all(|byte| *byte == MARK));
            return zeroes;
        }
        others.push(again);
    }
}

#[track_caller]
fn check<R>(expected: usize, using: impl Fn(BytesBuf, &GlobalPool) -> R) {
    for wipe in [Wipe::OnRelease, Wipe::OnReuse] {
        for wrap in [false, true] {
            assert_eq!(wiped(wipe, wrap, &using), expected, "{wipe:?} {wrap}");
        }
    }
}

fn put(buf: &mut BytesBuf, count: usize) {
    buf.put_byte_repeated(7, count);
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn nothing_was_written() {
    check(0, |buf, _| buf);
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn written_and_dropped() {
    check(10, |mut buf, _| {
        put(&mut buf, 10);
        buf
    });
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn consumed_in_parts_and_dropped_in_any_order() {
    check(30, |mut buf, _| {
        put(&mut buf, 10);
        let first = buf.consume_all();
        put(&mut buf, 20);
        let second = buf.consume(15);
        drop(buf);
        (first, second)
    });
    check(10, |mut buf, _| {
        put(&mut buf, 10);
        drop(buf.consume_all());
    });
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn filled_to_the_end() {
    check(BLOCK, |mut buf, _| {
        put(&mut buf, BLOCK);
        buf.consume_all()
    });
    check(BLOCK, |mut buf, pool| {
        put(&mut buf, 1000);
        drop(buf.consume_all());
        buf.reserve(2000, pool);
        put(&mut buf, 1500);
        buf
    });
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn finished_by_value() {
    check(10, |mut buf, _| {
        put(&mut buf, 10);
        BytesView::from(buf)
    });
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn split_in_two_writers() {
    check(BLOCK - 100 + 50, |mut buf, _| {
        let mut tail = buf.split_off_remaining(100);
        put(&mut tail, 50);
        put(&mut buf, 10);
        (buf, tail)
    });
    // Where the second one begins is where it has got to.
    check(BLOCK - 100, |mut buf, _| {
        let tail = buf.split_off_remaining(100);
        put(&mut buf, 10);
        drop(buf.consume_all());
        (tail, buf)
    });
}

/// The block waits behind another one, after it was written in part.
#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn lent_on_inside_another_buffer() {
    use std::sync::Mutex;

    use bytesbuf::mem::CallbackMemory;

    check(10, |mut buf, pool| {
        put(&mut buf, 10);
        drop(buf.consume_all());
        let once = Mutex::new(Some(buf));
        let memory = CallbackMemory::new(move |_| once.lock().unwrap().take().unwrap());
        let mut outer = pool.reserve(1);
        outer.reserve(BLOCK + 1, &memory);
        outer
    });
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn written_by_vectored_writes() {
    check(10, |mut buf, _| {
        let mut write = buf.begin_vectored_write(None);
        let slices: Vec<_> = write.slices_mut().collect();
        assert_eq!(slices.len(), 1);
        drop(slices);
        // SAFETY: the whole block has been written.
        unsafe { write.commit(10) };
        buf
    });
}
