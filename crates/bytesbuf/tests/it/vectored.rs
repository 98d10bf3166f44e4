//! Vectored writes.

use bytesbuf::mem::Memory;

use crate::counting::{Counting, Number};

#[test]
fn all_slices_at_once_and_commit_in_part() {
    for memory in Counting::both(4) {
        let mut buf = memory.reserve(12);
        buf.put_byte(b'>');
        let mut write = buf.begin_vectored_write(Some(9));
        {
            let mut slices: Vec<_> = write.slices_mut().map(|(slice, _)| slice).collect();
            assert_eq!(
                slices.iter().map(|slice| slice.len()).collect::<Vec<_>>(),
                [3, 4, 2]
            );
            for (i, byte) in slices
                .iter_mut()
                .flat_map(|slice| slice.iter_mut())
                .enumerate()
            {
                byte.write(b'0' + i as u8);
            }
        }
        // SAFETY: nine bytes were written.
        unsafe { write.commit(5) };
        assert_eq!((buf.len(), buf.remaining_capacity()), (6, 6));
        assert_eq!(buf.consume_all(), b">01234");
    }
}

#[test]
fn a_write_that_is_dropped_changes_nothing() {
    let memory = Counting::new(4, true);
    let mut buf = memory.reserve(8);
    buf.put_byte(1);
    let mut write = buf.begin_vectored_write(None);
    let guard = write.extend_lifetime();
    for (slice, meta) in write.slices_mut() {
        slice[0].write(9);
        assert!(meta.unwrap().is::<Number>());
    }
    assert_eq!((buf.len(), buf.remaining_capacity()), (1, 7));
    drop(buf);
    assert_eq!(memory.out(), 2, "the guard keeps both blocks");
    drop(guard);
    assert_eq!(memory.out(), 0);
}

#[test]
fn limits() {
    let memory = Counting::new(4, true);
    let mut buf = memory.reserve(8);
    let lens = |limit| {
        let mut buf = memory.reserve(8);
        let mut write = buf.begin_vectored_write(limit);
        write
            .slices_mut()
            .map(|(slice, _)| slice.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(lens(Some(0)), [0]);
    assert_eq!(lens(Some(4)), [4]);
    assert_eq!(lens(Some(5)), [4, 1]);
    assert_eq!(lens(None), [4, 4]);
    assert!(buf.begin_vectored_write_checked(Some(9)).is_none());
    buf.put_byte_repeated(0, 8);
    assert!(
        buf.begin_vectored_write(Some(0))
            .slices_mut()
            .next()
            .is_none()
    );
}
