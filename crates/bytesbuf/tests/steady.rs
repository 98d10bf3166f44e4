//! Under a global allocator that counts: what no longer allocates once it has run a
//! few times.
#![cfg(all(feature = "std", not(any(bytesbuf_loom, miri))))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

struct Counted;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: forwards to `System`.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// Allocations of this thread in the second half of many repetitions.
fn allocations(mut work: impl FnMut()) -> usize {
    (0..100).for_each(|_| work());
    let before = ALLOCATIONS.get();
    (0..100).for_each(|_| work());
    ALLOCATIONS.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 100);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "every reservation allocates there")]
fn a_message_in_a_new_buffer() {
    let pool = GlobalPool::new();
    let work = || {
        let mut buf = pool.reserve(100);
        buf.put_slice(b"message".as_slice());
        drop(buf.consume_all());
    };
    assert_eq!(allocations(work), 0);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "every reservation allocates there")]
fn a_payload_between_header_and_trailer() {
    let pool = GlobalPool::new();
    let payload = BytesView::copied_from_slice(b"payload", &pool);
    let mut buf = BytesBuf::new();
    let work = || {
        buf.reserve(16, &pool);
        buf.put_u64_be(1);
        buf.put_bytes(payload.clone());
        buf.put_u64_be(2);
        let message = buf.consume_all();
        assert_eq!(message.slices().len(), 3);
        drop(message);
    };
    assert_eq!(allocations(work), 0);
}

/// What a buffer has besides its block is in memory that the thread keeps.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "every reservation allocates there")]
fn a_payload_in_a_new_buffer() {
    let pool = GlobalPool::new();
    let payload = BytesView::copied_from_slice(b"payload", &pool);
    let work = || {
        let mut buf = pool.reserve(16);
        buf.put_u64_be(1);
        buf.put_bytes(payload.clone());
        assert_eq!(buf.consume_all().slices().len(), 2);
    };
    assert_eq!(allocations(work), 0);
}

/// Up to 32 blocks behind the current one.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "every reservation allocates there")]
fn a_buffer_of_many_blocks() {
    let pool = GlobalPool::new();
    let work = || drop(pool.reserve(1 << 20));
    assert_eq!(allocations(work), 0);
    let work = || drop(pool.reserve(4 << 20));
    assert!(allocations(work) >= 100, "a longer ring is not kept");
}

#[test]
fn a_clone_of_many_spans() {
    let pool = GlobalPool::new();
    let view: BytesView = (0..100)
        .map(|_| BytesView::copied_from_slice(b"part", &pool))
        .collect();
    assert_eq!(allocations(|| drop(view.clone())), 0);
}
