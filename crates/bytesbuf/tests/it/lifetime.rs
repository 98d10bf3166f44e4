//! What keeps which block in use.

use bytesbuf::mem::Memory;
use bytesbuf::{BytesBuf, BytesView};

use crate::counting::{Counting, Number};

fn filled(memory: &Counting, bytes: usize) -> BytesView {
    let mut buf = memory.reserve(bytes);
    buf.put_byte_repeated(7, bytes);
    buf.consume_all()
}

#[test]
fn a_view_keeps_only_the_blocks_that_it_covers() {
    for memory in Counting::both(10) {
        let mut view = filled(&memory, 50);
        assert_eq!(memory.out(), 5);
        let twin = view.clone();
        view.advance(25);
        assert_eq!(memory.out(), 5, "the clone covers them all");
        drop(twin);
        assert_eq!(memory.out(), 3);
        view.truncate(6);
        assert_eq!(memory.out(), 2);
        let one = view.range(5..);
        drop(view);
        assert_eq!(memory.out(), 1);
        drop(one);
        assert_eq!(memory.out(), 0);
    }
}

#[test]
fn an_empty_range_keeps_nothing() {
    for memory in Counting::both(10) {
        let view = filled(&memory, 10);
        let empty = view.range(3..3);
        drop(view);
        assert_eq!(memory.out(), 0);
        assert!(empty.is_empty());
    }
}

#[test]
fn guards_outlive_views_and_buffers() {
    for memory in Counting::both(10) {
        let mut buf = memory.reserve(40);
        buf.put_byte_repeated(1, 15);
        let view = buf.consume(5);
        let guards = (view.extend_lifetime(), buf.extend_lifetime());
        drop((view, buf));
        assert_eq!(memory.out(), 4);
        drop(guards.1);
        assert_eq!(memory.out(), 1);
        drop(guards.0);
        assert_eq!(memory.out(), 0);
    }
}

#[test]
fn capacity_split_off_keeps_its_block_and_can_be_filled() {
    for memory in Counting::both(10) {
        let mut buf = memory.reserve(10);
        buf.put_slice(*b"abcd");
        let mut tail = buf.split_off_remaining(6);
        tail.put_slice(*b"efghij");
        buf.reserve(3, &memory);
        assert_eq!(memory.out(), 2);
        buf.put_slice(*b"xyz");
        assert_eq!(buf.consume(2), b"ab");
        assert_eq!(buf.consume_all(), b"cdxyz");
        drop(buf);
        assert_eq!(memory.out(), 1);
        assert_eq!(tail.consume_all(), b"efghij");
        drop(tail);
        assert_eq!(memory.out(), 0);
    }
}

#[test]
fn views_of_one_block_merge_again() {
    let memory = Counting::new(100, true);
    let mut buf = memory.reserve(100);
    let mut whole = BytesView::new();
    for byte in 0..50 {
        buf.put_byte(byte);
        whole.append(buf.consume_all());
    }
    assert_eq!(whole.slices().count(), 1);
    assert_eq!(whole.first_slice(), (0..50).collect::<Vec<u8>>());
}

#[test]
fn metadata_follows_the_bytes() {
    let memory = Counting::new(4, true);
    let mut view = filled(&memory, 10);
    let numbers = |view: &BytesView| {
        let slices = view.slices();
        slices
            .map(|(slice, meta)| {
                (
                    slice.len(),
                    meta.unwrap().downcast_ref::<Number>().unwrap().0,
                )
            })
            .collect::<Vec<_>>()
    };
    // The block supplied last is filled first.
    assert_eq!(numbers(&view), [(4, 2), (4, 1), (2, 0)]);
    view.advance(6);
    assert_eq!(numbers(&view), [(2, 1), (2, 0)]);
    assert!(view.first_slice_meta().unwrap().is::<Number>());
    assert!(BytesView::from_static(b"x").first_slice_meta().is_none());
}

#[test]
fn a_million_one_byte_views() {
    let count: u32 = if cfg!(miri) { 200 } else { 1_000_000 };
    let memory = Counting::new(1, true);
    let mut whole = BytesView::new();
    let mut buf = BytesBuf::new();
    for i in 0..count {
        let byte = BytesView::copied_from_slice(&[i as u8], &memory);
        whole.append(byte.clone());
        buf.put_bytes(byte);
    }
    assert_eq!(whole.slices().len(), count as usize);
    for i in 0..count {
        assert_eq!(whole.get_byte(), i as u8);
        assert_eq!(buf.consume(1).first_slice(), [i as u8]);
    }
    assert_eq!(memory.out(), 0);
}

/// Neighbours whose references are too many for one batch stay two spans, and become
/// one in a copy of the list, where each has a single reference.
#[test]
#[cfg_attr(
    any(miri, not(target_pointer_width = "64")),
    ignore = "needs 2^32 references of one block"
)]
fn a_copied_list_may_have_fewer_spans() {
    let bytes: Vec<u8> = (0..65_600_u32).map(|i| i as u8).collect();
    let block = BytesView::copied_from_slice(&bytes, &Counting::new(65_600, true));
    let mut whole = BytesView::new();
    for i in 1..bytes.len() {
        // Splitting a lone reference brings 65,536 more, which stay with the second byte.
        let mut pair = block.range(i - 1..=i);
        drop(pair.split_to(1));
        whole.append(pair);
    }
    assert_eq!(whole.slices().len(), 2, "too many references for one span");
    let mut copy = whole.clone();
    copy.advance(1);
    copy.append(BytesView::from_static(b"end"));
    assert_eq!(copy.len(), bytes.len() - 2 + 3);
    assert_eq!(copy.range(..bytes.len() - 2), bytes[2..]);
    assert_eq!(whole, bytes[1..]);
}
