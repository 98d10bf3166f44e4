//! User code that panics at its n-th call.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Called by everything that a user may have written. Panics once, when told to.
pub(crate) fn burn() {
    let left = LEFT.get();
    if left == usize::MAX {
        return;
    }
    if left == 0 {
        LEFT.set(usize::MAX);
        panic!("on purpose");
    }
    LEFT.set(left - 1);
}

/// Runs `action`, whose call `nth` of user code panics. Whether that came about.
pub(crate) fn light(nth: usize, action: impl FnOnce()) -> bool {
    LEFT.set(nth);
    let outcome = catch_unwind(AssertUnwindSafe(action));
    let burnt = LEFT.replace(usize::MAX) == usize::MAX;
    match outcome {
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().copied().unwrap_or_default();
            assert_eq!(text, "on purpose", "another panic");
            assert!(burnt);
        }
        // A library may only let a panic out, not swallow it.
        Ok(()) => assert!(!burnt, "the panic was swallowed"),
    }
    burnt
}
