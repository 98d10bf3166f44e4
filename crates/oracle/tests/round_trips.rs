//! Flaw 19: conversions to `bytes` and back must not wrap one owner into another.
//!
//! Under an allocator that counts: what a chain of conversions holds at its end must
//! not depend on its length. (In the reference it does, and a chain long enough
//! overflows the stack when it is dropped.)
#![expect(unsafe_code, reason = "counts in a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::IoSlice;

use bytes::{Buf, Bytes, TryGetError};
use bytesbuf::BytesView;
use bytesbuf::mem::GlobalPool;

struct Counting;

thread_local! {
    /// Allocations less deallocations of this thread.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: forwards to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get() + 1);
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - 1);
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Checks that `rounds` times `round` leaves as many allocations as once.
#[track_caller]
fn check<T>(start: T, mut round: impl FnMut(T) -> T) -> T {
    let mut value = round(start);
    value = round(value);
    let before = LIVE.get();
    for _ in 0..1000 {
        value = round(value);
    }
    let more = LIVE.get() - before;
    assert!(
        more <= 2,
        "{more} more allocations are held after 1000 more rounds"
    );
    value
}

#[test]
fn bytes_to_view_and_back() {
    let original = Bytes::from(b"there and back".to_vec());
    let bytes = check(original.clone(), |bytes| BytesView::from(bytes).into());
    assert_eq!(
        (&bytes[..], bytes.as_ptr()),
        (&b"there and back"[..], original.as_ptr())
    );
    drop(bytes);
    assert!(original.is_unique(), "somebody still holds the original");
}

#[test]
fn parts_of_bytes_to_view_and_back() {
    let original = Bytes::from(vec![7; 5000]);
    let bytes = check(original.clone(), |bytes| {
        let mut view = BytesView::from(bytes.slice(1..));
        view.advance(1);
        view.into()
    });
    assert_eq!(
        (bytes.len(), bytes.as_ptr()),
        (5000 - 2 * 1002, original[2 * 1002..].as_ptr())
    );
}

#[test]
fn view_to_bytes_and_back() {
    let pool = GlobalPool::new();
    let original = BytesView::copied_from_slice(b"there and back", &pool);
    let view = check(original.clone(), |view| Bytes::from(view).into());
    assert_eq!(view, b"there and back");
    assert_eq!(view.first_slice().as_ptr(), original.first_slice().as_ptr());
}

#[test]
fn errors_of_reads_are_those_of_the_trait() {
    let mut view = BytesView::from_static(b"a");
    let by_the_trait = Buf::try_get_u16_le(&mut view).unwrap_err();
    let ours: TryGetError = view.try_get_u16_le().unwrap_err().into();
    assert_eq!(ours, by_the_trait);
    assert_eq!((ours.requested, ours.available), (2, 1));
}

/// An `IoSlice` has 32 bits on Windows.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_very_long_slice_is_offered_in_part() {
    // Zero pages: address space, hardly any memory.
    let mut view = BytesView::from(vec![0; (1 << 32) + 5]);
    view.append(BytesView::from_static(b"end"));
    let offered = |view: &BytesView| {
        let mut places = [IoSlice::new(&[]); 3];
        let count = Buf::chunks_vectored(view, &mut places);
        places[..count]
            .iter()
            .map(|slice| slice.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        offered(&view),
        [(1 << 32) - 1],
        "not what is behind the rest of it"
    );
    view.advance((1 << 32) - 1);
    assert_eq!(offered(&view), [6, 3]);
}
