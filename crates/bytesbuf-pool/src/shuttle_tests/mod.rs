//! Scenarios of four threads that share a pool and its budget: too big for loom,
//! which goes through all interleavings. Shuttle tries as many as it is told to,
//! picked at random (`cargo xtask shuttle`).
//!
//! Here everything is the real thing but for what the door replaces: handles,
//! budgets, futures, and the search for caches through thread-locals with what
//! happens when a thread ends (`local`), which loom does not see. What shuttle does
//! not see is weak orderings: it takes all of them for the strongest. Those are for
//! loom and miri.
#![expect(unsafe_code, reason = "marks the blocks that it rents")]

mod closing;
mod door;
mod mixed;
mod trimming;
mod waiters;
