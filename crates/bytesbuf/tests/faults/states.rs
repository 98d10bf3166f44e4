//! Buffers and views in every state that they can be in.

use bytesbuf::mem::Memory;
use bytesbuf::{BytesBuf, BytesView};

use crate::counting::Counting;

/// Bytes in a block of the provider that the states are made with.
pub(crate) const BLOCK: usize = 8;

pub(crate) fn memory() -> Counting {
    Counting::new(BLOCK as u32, true)
}

pub(crate) type MakeBuf = fn(&Counting) -> BytesBuf;
pub(crate) type MakeView = fn(&Counting) -> BytesView;

fn filled(memory: &Counting, capacity: usize, len: usize) -> BytesBuf {
    let mut buf = memory.reserve(capacity);
    for byte in 0..len {
        buf.put_byte(byte as u8 + 1);
    }
    buf
}

/// Every kind of buffer, with its name.
pub(crate) const BUFFERS: [(&str, MakeBuf); 13] = [
    ("without capacity", |_| BytesBuf::new()),
    ("one untouched block", |memory| filled(memory, 8, 0)),
    ("one block in part", |memory| filled(memory, 8, 5)),
    ("one full block", |memory| filled(memory, 8, 8)),
    ("one block but a byte", |memory| filled(memory, 8, 7)),
    ("three untouched blocks", |memory| filled(memory, 24, 0)),
    ("the second of three blocks", |memory| {
        filled(memory, 24, 11)
    }),
    ("three full blocks", |memory| filled(memory, 24, 24)),
    ("everything consumed", |memory| {
        let mut buf = filled(memory, 16, 11);
        drop(buf.consume_all());
        buf
    }),
    ("a part consumed", |memory| {
        let mut buf = filled(memory, 16, 11);
        drop(buf.consume(3));
        buf
    }),
    ("a view between", |memory| {
        let mut buf = filled(memory, 16, 3);
        buf.put_bytes(BytesView::from_static(b"between"));
        buf.put_byte(b'!');
        buf
    }),
    ("nothing but a view", |_| {
        BytesBuf::from(BytesView::from(b"a view".to_vec()))
    }),
    ("its capacity split off", |memory| {
        let mut buf = filled(memory, 16, 3);
        drop(buf.split_off_remaining(13));
        buf
    }),
];

fn spans(memory: &Counting, len: usize) -> BytesView {
    filled(memory, len, len).consume_all()
}

/// Every kind of view, with its name.
pub(crate) const VIEWS: [(&str, MakeView); 13] = [
    ("nothing", |_| BytesView::new()),
    ("static", |_| BytesView::from_static(b"static")),
    ("a vector", |_| BytesView::from(b"a vector".to_vec())),
    ("one byte", |memory| spans(memory, 1)),
    ("one span", |memory| spans(memory, 8)),
    ("one span, consumed in part", |memory| {
        let mut view = spans(memory, 8);
        view.advance(3);
        view
    }),
    ("two spans", |memory| spans(memory, 16)),
    ("three spans, the first and the last in part", |memory| {
        spans(memory, 24).range(5..19)
    }),
    ("three spans, the first consumed in part", |memory| {
        let mut view = spans(memory, 20);
        view.advance(6);
        view
    }),
    ("many spans", |memory| spans(memory, 60)),
    ("many spans, consumed in part", |memory| {
        let mut view = spans(memory, 60);
        view.advance(29);
        view
    }),
    ("the same bytes twice", |memory| {
        let view = spans(memory, 10);
        view.concat(view.clone())
    }),
    ("all kinds of owners", |memory| {
        let mut view = spans(memory, 10);
        view.append(BytesView::from_static(b"static"));
        view.append(BytesView::from(b"a vector".to_vec()));
        view.append(BytesView::from_owner(String::from("an owner")));
        view
    }),
];
