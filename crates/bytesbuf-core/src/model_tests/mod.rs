//! Scenarios of two or three threads that share a block.
//!
//! Written once, run by three engines: natively (many repetitions), under miri
//! (few), and under loom (every interleaving and every value that the memory
//! model allows). `cargo xtask loom` runs the last.
#![expect(unsafe_code, reason = "plays the provider")]

mod door;
mod release;
mod stock;
