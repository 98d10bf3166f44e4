//! A waker that counts its clones.
#![expect(unsafe_code, reason = "a waker made of functions")]

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{RawWaker, RawWakerVTable, Waker};

use bytesbuf_pool::Budget;

use super::poll_pending;

static CLONES: AtomicUsize = AtomicUsize::new(0);

static TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // Relaxed: partner of nothing; one thread.
        CLONES.fetch_add(1, Ordering::Relaxed);
        RawWaker::new(data, &TABLE)
    },
    |_| (),
    |_| (),
    |_| (),
);

fn clones() -> usize {
    // Relaxed: partner of nothing; one thread.
    CLONES.load(Ordering::Relaxed)
}

#[test]
fn a_waker_that_is_known_is_not_cloned_again() {
    // SAFETY: the functions may be called with any data, on any thread.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &TABLE)) };
    let budget = Budget::new(1);
    let all = budget.try_charge(1).unwrap();
    let mut request = budget.charge_async(1);
    poll_pending(&mut request, &waker);
    let known = clones();
    assert!(known > 0, "it is to be woken");
    for _ in 0..3 {
        poll_pending(&mut request, &waker);
    }
    assert_eq!(clones(), known);
    poll_pending(&mut request, Waker::noop());
    poll_pending(&mut request, &waker);
    assert!(clones() > known, "the other one had taken its place");
    drop((request, all));
    assert_eq!(budget.in_use(), 0);
}
