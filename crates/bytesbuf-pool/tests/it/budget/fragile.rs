//! Wakers that panic at their n-th call, for every n: in `clone`, `wake`, `wake_by_ref` or
//! `drop`. Nobody loses a byte, a place in the queue or a wake-up by that.
#![expect(unsafe_code, reason = "a waker whose every function may panic")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{RawWaker, RawWakerVTable};

use super::*;

thread_local! {
    /// Calls that still return.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn burn() {
    match LEFT.get() {
        usize::MAX => {}
        0 => {
            LEFT.set(usize::MAX);
            panic!("a waker that panics (expected)");
        }
        left => LEFT.set(left - 1),
    }
}

/// How many wakers there are.
type Alive = AtomicUsize;

const TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// # Safety
/// The state is that of a waker made by `waker`, which is still there.
unsafe fn alive<'a>(state: *const ()) -> &'a Alive {
    // SAFETY: as promised.
    unsafe { &*state.cast::<Alive>() }
}

unsafe fn clone(state: *const ()) -> RawWaker {
    burn();
    // SAFETY: called for a waker.
    let alive = unsafe { alive(state) };
    // Relaxed: partner of nothing; one thread.
    alive.fetch_add(1, Ordering::Relaxed);
    RawWaker::new(state, &TABLE)
}

unsafe fn wake(state: *const ()) {
    // SAFETY: called for a waker.
    let alive = unsafe { alive(state) };
    // Relaxed: partner of nothing; one thread.
    alive.fetch_sub(1, Ordering::Relaxed);
    burn();
}

unsafe fn wake_by_ref(_: *const ()) {
    burn();
}

unsafe fn release(state: *const ()) {
    // SAFETY: called for a waker.
    let alive = unsafe { alive(state) };
    // Relaxed: partner of nothing; one thread.
    alive.fetch_sub(1, Ordering::Relaxed);
    burn();
}

/// A waker. The number of its clones and itself outlives all of them.
fn waker(alive: &Alive) -> Waker {
    // Relaxed: partner of nothing; one thread.
    alive.store(1, Ordering::Relaxed);
    let state = std::ptr::from_ref(alive).cast();
    // SAFETY: the functions do nothing but count, where the caller keeps the count.
    unsafe { Waker::from_raw(RawWaker::new(state, &TABLE)) }
}

/// Two wait in turn, one changes its waker, one gives up, one is served.
fn scenario(budget: &Budget, fragile: &Waker, other: &Waker) {
    let all = budget.try_charge(10).unwrap();
    let mut first = budget.charge_async(4);
    let mut second = budget.charge_async(5);
    let mut third = budget.charge_async(6);
    for request in [&mut first, &mut second, &mut third] {
        poll_pending(request, fragile);
    }
    poll_pending(&mut second, other);
    poll_pending(&mut second, fragile);
    drop(third);
    drop(all);
    let charge = poll_ready(&mut first);
    poll_pending(&mut budget.charge_async(10), fragile);
    drop((charge, second));
}

#[test]
fn a_waker_may_panic_at_any_call() {
    for nth in 0.. {
        let budget = Budget::new(20).child(10);
        let (one, two) = (Alive::new(0), Alive::new(0));
        let (fragile, other) = (waker(&one), waker(&two));
        LEFT.set(nth);
        // A panic gets out or is kept in, as the place demands.
        let _ = catch_unwind(AssertUnwindSafe(|| scenario(&budget, &fragile, &other)));
        let burnt = LEFT.replace(usize::MAX) == usize::MAX;
        drop((fragile, other));
        // Relaxed: partner of nothing; one thread.
        let left = (one.load(Ordering::Relaxed), two.load(Ordering::Relaxed));
        assert_eq!(left, (0, 0), "wakers were lost at call {nth}");
        let parent = budget.parent().unwrap();
        assert_eq!((budget.in_use(), budget.waiting()), (0, 0), "call {nth}");
        assert_eq!((parent.in_use(), parent.waiting()), (0, 0), "call {nth}");

        // It goes on as before.
        let all = budget.try_charge(10).unwrap();
        let (woken, waker) = Woken::new();
        let mut request = budget.charge_async(10);
        poll_pending(&mut request, &waker);
        drop(all);
        assert_eq!(woken.count(), 1, "call {nth}");
        drop(poll_ready(&mut request));
        if !burnt {
            assert!(nth > 8, "{nth} calls only");
            break;
        }
    }
}
