//! Reading the last bytes of a view that is the only one of its block: they are read
//! before the block goes home, which is what memory checkers are asked here.

use std::io::Read;

use bytesbuf::BytesView;
use bytesbuf::mem::GlobalPool;

const BYTES: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Reads all of a lone view of a pooled block, in some way.
#[track_caller]
fn check(read: impl Fn(BytesView) -> [u8; 8]) {
    let pool = GlobalPool::new();
    let view = BytesView::copied_from_slice(&BYTES, &pool);
    assert_eq!(read(view), BYTES);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

#[test]
fn byte_by_byte() {
    check(|mut view| BYTES.map(|_| view.get_byte()));
}

#[test]
fn copied() {
    check(|mut view| {
        let mut bytes = [0; 8];
        view.copy_to_slice(&mut bytes);
        bytes
    });
}

#[test]
fn as_a_number() {
    check(|mut view| view.get_num_be::<u64>().to_be_bytes());
    check(|mut view| view.get_num_le::<u64>().to_le_bytes());
}

#[test]
fn through_io() {
    check(|mut view| {
        let mut bytes = [0; 8];
        view.read_exact(&mut bytes).unwrap();
        bytes
    });
}
