//! Panics that are expected.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` and returns its result, or the message of its panic.
///
/// libFuzzer's hook ends the process before a panic unwinds; here it is not called.
pub(crate) fn attempt<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    result.map_err(|payload| match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload
            .downcast::<&'static str>()
            .map_or_else(|_| "not a text".to_owned(), |text| (*text).to_owned()),
    })
}

/// Runs `f`, which must panic with a message that contains `panic`, or not at all if
/// that is `None`.
#[track_caller]
pub(crate) fn call<T>(panic: Option<&str>, f: impl FnOnce() -> T) -> Option<T> {
    let Some(text) = panic else {
        return Some(f());
    };
    match attempt(f) {
        Ok(_) => panic!("no panic, but `{text}` was expected"),
        Err(message) => {
            assert!(message.contains(text), "`{message}` instead of `{text}`");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_was_not_to_be_is_not_caught() {
        assert_eq!(
            attempt(|| call(None, || panic!("really"))),
            Err::<Option<()>, _>("really".into())
        );
    }

    #[test]
    fn a_panic_that_does_not_come_is_a_failure() {
        assert!(
            attempt(|| call(Some("text"), || ()))
                .unwrap_err()
                .contains("no panic")
        );
    }

    #[test]
    fn another_panic_is_a_failure() {
        assert!(
            attempt(|| call(Some("text"), || panic!("other")))
                .unwrap_err()
                .contains("instead")
        );
        assert_eq!(call(Some("text"), || panic!("the text here")), None::<()>);
    }
}
