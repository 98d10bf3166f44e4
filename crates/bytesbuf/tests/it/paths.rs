//! Where the fast paths end: exactly full blocks, finished buffers, the first list of
//! spans, and capacity that arrives when there is none left.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use bytesbuf::mem::Memory;
use bytesbuf::{BytesBuf, BytesView};

use crate::counting::Counting;

/// Bytes 0, 1, 2 and so on.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|byte| byte as u8).collect()
}

#[test]
fn puts_that_end_with_their_block() {
    for memory in Counting::both(10) {
        for step in 1..=12 {
            let mut buf = memory.reserve(60);
            for chunk in bytes(60).chunks(step) {
                buf.put_slice(chunk);
                let full = buf.remaining_capacity() == 0;
                assert_eq!(buf.first_unfilled_slice().is_empty(), full);
            }
            buf.put_slice(b"".as_slice());
            assert!(buf.try_put_slice(b"x").is_err());
            assert_eq!(buf.len(), 60);
            assert_eq!(buf.consume_all(), bytes(60));
            assert_eq!(memory.out(), 0, "an exhausted buffer keeps nothing");
        }
    }
}

#[test]
fn numbers_that_end_with_their_block() {
    for memory in Counting::both(8) {
        let mut buf = memory.reserve(24);
        buf.put_u64_be(1);
        buf.put_u32_be(2);
        buf.put_num_be(3_u64);
        buf.put_u32_be(4);
        let mut view = buf.consume_all();
        assert_eq!((view.get_u64_be(), view.get_u32_be()), (1, 2));
        assert_eq!((view.get_u64_be(), view.get_u32_be()), (3, 4));
    }
}

#[test]
fn a_finished_buffer_becomes_a_view() {
    for memory in Counting::both(10) {
        assert!(BytesView::from(BytesBuf::new()).is_empty());
        assert!(BytesView::from(memory.reserve(30)).is_empty());
        assert_eq!(memory.out(), 0);
        for len in 1..=30 {
            for consumed in [0, 1, len] {
                let mut buf = memory.reserve(30);
                buf.put_slice(bytes(len));
                let front = buf.consume(consumed);
                let view = BytesView::from(buf);
                assert_eq!(view, bytes(len)[consumed..]);
                assert_eq!(front, bytes(len)[..consumed]);
                drop(front);
                let blocks = if view.is_empty() {
                    0
                } else {
                    len.div_ceil(10) - consumed / 10
                };
                assert_eq!(memory.out(), blocks, "{len} bytes, {consumed} consumed");
            }
        }
        for capacity in [10, 20, 30] {
            let mut buf = memory.reserve(capacity);
            buf.put_slice(b"head ".as_slice());
            buf.put_bytes(BytesView::from_static(b"body"));
            buf.put_slice(b" end".as_slice());
            assert_eq!(BytesView::from(buf), b"head body end");
            assert_eq!(memory.out(), 0);
        }
    }
}

#[test]
fn a_dropped_buffer_gives_everything_back() {
    for memory in Counting::both(10) {
        for capacity in [0, 10, 30] {
            for filled in [0, 4, 10, 30] {
                let mut buf = memory.reserve(capacity);
                buf.put_slice(bytes(filled.min(capacity)));
                for _ in 0..3 {
                    let mut other = memory.reserve(10);
                    other.put_byte(1);
                    buf.put_bytes(BytesView::from(other));
                }
                drop(buf);
                assert_eq!(memory.out(), 0, "{capacity} bytes, {filled} filled");
            }
        }
        let mut other = memory.reserve(10);
        other.put_byte(1);
        drop(BytesBuf::from(other.consume_all()));
        drop(other);
        assert_eq!(memory.out(), 0);
    }
}

#[test]
fn spans_of_others_between_our_own() {
    for memory in Counting::both(100) {
        let mut buf = memory.reserve(100);
        let payload = BytesView::from(b"payload".to_vec());
        for parts in 0..12 {
            let mut expected = Vec::new();
            for part in 0..parts {
                buf.put_byte(part);
                buf.put_bytes(payload.clone());
                expected.push(part);
                expected.extend_from_slice(b"payload");
            }
            let shared = buf.peek();
            let message = buf.consume_all();
            assert_eq!(message, expected);
            assert_eq!(message.slices().len(), 2 * usize::from(parts));
            drop(message);
            assert_eq!(shared, expected);
        }
        assert_eq!(buf.remaining_capacity(), 100 - (0..12).sum::<usize>());
        drop(buf);
        assert_eq!(memory.out(), 0);
    }
}

/// What `reserve` adds to a buffer in some state.
#[track_caller]
fn check_reserve(memory: &Counting, mut buf: BytesBuf, more: usize) {
    let before = buf.peek().to_vec();
    buf.reserve(more, memory);
    assert!(buf.remaining_capacity() >= more);
    assert_eq!(buf.peek(), before, "reserving changes no data");
    let added = bytes(buf.remaining_capacity());
    buf.put_slice(added.as_slice());
    assert_eq!(buf.consume_all(), [before, added].concat());
    drop(buf);
    assert_eq!(memory.out(), 0);
}

#[test]
fn capacity_for_a_buffer_in_any_state() {
    for memory in Counting::both(10) {
        for more in [1, 10, 11, 45] {
            for capacity in [10, 30] {
                for filled in [0, 3, 10, capacity] {
                    for consumed in [0, 2, filled] {
                        let mut buf = memory.reserve(capacity);
                        buf.put_slice(bytes(filled));
                        drop(buf.consume(consumed.min(filled)));
                        check_reserve(&memory, buf, more);
                    }
                }
            }
            check_reserve(&memory, BytesBuf::new(), more);
            let frozen = BytesView::from_static(b"frozen");
            check_reserve(&memory, BytesBuf::from(frozen), more);
        }
    }
}

/// An owner whose destructor makes a message of several spans, and drops it.
struct Recursive(u8);

impl AsRef<[u8]> for Recursive {
    fn as_ref(&self) -> &[u8] {
        b"owned"
    }
}

impl Drop for Recursive {
    fn drop(&mut self) {
        if self.0 > 0 {
            drop(two_spans(self.0 - 1));
        }
    }
}

fn two_spans(depth: u8) -> BytesView {
    BytesView::from_views([
        BytesView::from_owner(Recursive(depth)),
        BytesView::from_static(b"!"),
    ])
}

#[test]
fn lists_dropped_while_a_list_is_dropped() {
    drop(two_spans(4));
    assert_eq!(two_spans(4), b"owned!");
}

#[test]
fn lists_that_end_on_another_thread() {
    for _ in 0..4 {
        let here = two_spans(1);
        let there = thread::spawn(move || {
            assert_eq!(here, b"owned!");
            drop(here);
            two_spans(1)
        });
        assert_eq!(there.join().unwrap(), b"owned!");
    }
}

thread_local! {
    /// Dropped when the thread ends, before or after whatever the library keeps.
    static LAST: std::cell::RefCell<Option<BytesView>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn a_list_in_a_thread_local() {
    for list_first in [false, true] {
        let alive = Arc::new(());
        let owner = Kept(Arc::clone(&alive));
        let run = move || {
            if list_first {
                drop(two_spans(0));
            }
            let mut view = two_spans(1);
            view.append(BytesView::from_owner(owner));
            LAST.with(|last| *last.borrow_mut() = Some(view));
        };
        thread::spawn(run).join().unwrap();
        assert_eq!(Arc::strong_count(&alive), 1, "list first: {list_first}");
    }
}

/// Tells whether it is alive.
struct Kept(Arc<()>);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        assert!(Arc::strong_count(&self.0) > 1);
        b"kept"
    }
}

/// Panics when it is dropped.
struct Bomb(Arc<()>);

impl AsRef<[u8]> for Bomb {
    fn as_ref(&self) -> &[u8] {
        b"bomb"
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{} alive", Arc::strong_count(&self.0));
    }
}

#[test]
fn a_panicking_owner_in_a_list_does_not_keep_the_others() {
    for memory in Counting::both(10) {
        for spans in [3, 9] {
            let alive = Arc::new(());
            let mut buf = memory.reserve(10 * spans);
            for span in 0..spans {
                buf.put_byte(1);
                if span == 1 {
                    buf.put_bytes(BytesView::from_owner(Bomb(Arc::clone(&alive))));
                } else {
                    buf.put_bytes(BytesView::from_static(b"-"));
                }
            }
            let unwound = catch_unwind(AssertUnwindSafe(|| drop(buf)));
            assert!(unwound.is_err());
            assert_eq!(memory.out(), 0);
            assert_eq!(Arc::strong_count(&alive), 1);
        }
    }
}
