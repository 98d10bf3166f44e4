//! Panics that the documentation announces change nothing, and carry numbers; panics
//! of user code leave everything in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytesbuf::mem::Memory;
use bytesbuf::{BytesBuf, BytesView};

use crate::counting::Counting;

#[track_caller]
fn check(expected: &str, f: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("must panic");
    let message = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()))
        .unwrap_or_default();
    assert!(message.contains(expected), "{message:?} lacks {expected:?}");
}

#[test]
fn of_a_view() {
    let mut view = BytesView::from(vec![1, 2]);
    view.append(BytesView::from(vec![3]));
    check(
        "advance past end of the view: by 4 bytes, 3 available",
        || view.advance(4),
    );
    check("read 4 bytes from a view of 3 bytes", || {
        _ = view.get_u32_le();
    });
    check("read 8 bytes from a view of 3 bytes", || {
        _ = view.get_num_le::<u64>();
    });
    check("read 4 bytes from a view of 3", || {
        view.copy_to_slice(&mut [0; 4]);
    });
    check("read 4 bytes from a view of 3", || _ = view.split_to(4));
    check("read 4 bytes from a view of 3", || _ = view.split_off(4));
    check("range out of view bounds: the view has 3 bytes", || {
        _ = view.range(2..5);
    });
    check("read 1 bytes from a view of 0", || {
        _ = BytesView::new().get_byte();
    });
    assert_eq!(view, [1, 2, 3]);
}

#[test]
fn of_a_buffer() {
    let memory = Counting::new(4, true);
    let mut buf = memory.reserve(8);
    buf.put_slice(*b"abc");
    check("4 requested, 3 available", || _ = buf.consume(4));
    check("write 6 bytes into 5 bytes", || buf.put_slice(*b"123456"));
    check("write 6 bytes into 5 bytes", || buf.put_byte_repeated(0, 6));
    check("write 8 bytes into 5 bytes", || buf.put_u64_be(1));
    check("write 8 bytes into 5 bytes", || buf.put_num_be(1_u64));
    check("split off 6 bytes of 5 bytes", || {
        _ = buf.split_off_remaining(6);
    });
    check("at most 6 bytes into 5 bytes", || {
        _ = buf.begin_vectored_write(Some(6));
    });
    // SAFETY: panics before it matters that nothing was written.
    check("by 2 bytes, the first unfilled slice has 1", || unsafe {
        buf.advance(2);
    });
    let write = buf.begin_vectored_write(Some(2));
    // SAFETY: panics before it matters that nothing was written.
    check(
        "commit 3 bytes of a vectored write limited to 2",
        || unsafe { write.commit(3) },
    );
    assert_eq!((buf.len(), buf.remaining_capacity()), (3, 5));
    assert_eq!(buf.consume_all(), b"abc");
}

#[test]
fn capacity_does_not_wrap() {
    let memory = Counting::new(4, true);
    let mut buf = BytesBuf::from(BytesView::from_static(b"abc"));
    check("capacity would exceed usize::MAX", || {
        buf.reserve(usize::MAX - 1, &memory);
    });
    assert!(buf.try_reserve(usize::MAX - 1, &memory).is_err());
    assert_eq!(buf.remaining_capacity(), 0);
}

/// An owner whose destructor panics.
struct Bomb(#[expect(dead_code, reason = "counted")] Arc<()>, bool);

impl AsRef<[u8]> for Bomb {
    fn as_ref(&self) -> &[u8] {
        b"abc"
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.1, "the owner's destructor panics");
    }
}

/// Three spans, of which the middle one panics when it is dropped.
fn armed(alive: &Arc<()>) -> BytesView {
    [false, true, false]
        .map(|armed| BytesView::from_owner(Bomb(Arc::clone(alive), armed)))
        .into_iter()
        .collect()
}

#[test]
fn a_panicking_owner_leaves_an_empty_view() {
    let alive = Arc::new(());
    for change in [
        (|view| view.advance(7)) as fn(&mut BytesView),
        |view| view.truncate(2),
        |view| drop(view.split_to(8)),
        |view| {
            let twin = view.clone();
            view.advance(7);
            drop(twin);
        },
        |view| *view = BytesView::new(),
        |view| view.consume_all_slices(|_| ()),
    ] {
        let mut view = armed(&alive);
        check("the owner's destructor panics", || change(&mut view));
        let rest = view.to_vec();
        assert!(b"abcabcabc".ends_with(&rest), "what is left is still valid");
        drop(view);
        assert_eq!(Arc::strong_count(&alive), 1, "every owner was dropped once");
    }
}

#[test]
fn a_panicking_visitor_leaves_an_empty_view() {
    let memory = Counting::new(2, true);
    let mut view = BytesView::copied_from_slice(b"abcdef", &memory);
    check("visitor", || view.consume_all_slices(|_| panic!("visitor")));
    assert!(view.is_empty());
    assert_eq!(memory.out(), 0);
}

#[test]
fn an_owner_that_panics_when_asked_is_dropped() {
    struct Mute(#[expect(dead_code, reason = "counted")] Arc<()>);
    impl AsRef<[u8]> for Mute {
        fn as_ref(&self) -> &[u8] {
            panic!("no bytes")
        }
    }
    let alive = Arc::new(());
    check("no bytes", || {
        _ = BytesView::from_owner(Mute(Arc::clone(&alive)));
    });
    assert_eq!(Arc::strong_count(&alive), 1);
}
