//! Tests of `bytesbuf` against the published crate of that name.
//!
//! A workspace of its own, tests only. `bytesbuf` is the crate of this repository,
//! `published` is version 0.4.2 from the registry, the reference.
//!
//! | test | asks |
//! |---|---|
//! | `tests/oracle` | do random operations give the same bytes, lengths and panics on both, and on a `Vec<u8>`? |
//! | `tests/flaws` | is each known flaw of the reference absent? |
//! | `tests/surface` | does every item of the reference exist, with its signature? |
//!
//! This library holds what these tests share: [`planks`], a provider of blocks of
//! uneven sizes, and [`attempt`], which turns a panic into its message. What must not
//! compile is in [`bounds`].

pub mod bounds;
pub mod planks;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` and returns its result, or the message of its panic. Nothing is
/// printed for a panic in `f`; panics elsewhere print as usual.
pub fn attempt<T>(f: impl FnOnce() -> T) -> Result<T, String> {
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
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(message) => (*message).to_owned(),
            Err(payload) => panic_any(payload),
        },
    })
}
