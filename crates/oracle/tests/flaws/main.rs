//! One test or more per known flaw of the reference (numbers as in
//! `docs/compatibility.md`), through our public API.
//!
//! Flaws without a test here: 11 is one of another crate; 12 is in `tests/surface`; 16
//! to 18 are costs of the pool, see the page; a part of 19 is in `tests/round_trips`; 27
//! is in the documentation of `planks`.

mod correctness;
mod cost;
mod usability;
