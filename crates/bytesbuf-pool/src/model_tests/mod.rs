//! Scenarios of two or three threads that share a pool.
//!
//! Written once, run by three engines: natively (many repetitions), under miri
//! (few), and under loom (every interleaving and every value that the memory
//! model allows). Under loom the allocator behind `sync` reports each block, cache
//! and shared object that is leaked or freed twice; under miri, miri does.
//!
//! Each thread passes its cache in; the finding of caches through thread-locals is
//! not modelled here, but in `shuttle_tests`.
#![expect(
    unsafe_code,
    reason = "owns thread caches by raw pointer, writes blocks"
)]

mod budget;
mod close;
mod door;
mod exchange;
mod lend;
mod trim;
