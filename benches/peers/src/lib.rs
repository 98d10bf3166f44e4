//! bytesbuf measured beside everything a user would pick instead.
//!
//! * [`peer`]: who is measured, behind traits, so that all do the same work
//! * [`workload`]: what is measured, one file a family
//! * [`contender`]: one peer at one workload, on a thread of its own
//! * [`rounds`]: interleaved rounds, medians, ratios
//! * [`memory`]: overhead and resident memory, in child processes
//! * [`targets`]: what is to be reached, one table
//! * [`results`], [`table`], [`page`]: what a run found, as text and as a page
//! * [`ranking`]: whether two runs put the peers in the same order
//! * [`machine`]: where it was found
//!
//! `compare` is the program, `benches/workloads.rs` has the same workloads for criterion.

pub mod contender;
mod cores;
pub mod inputs;
pub mod machine;
pub mod memory;
pub mod page;
pub mod peer;
pub mod ranking;
pub mod results;
pub mod rounds;
pub mod table;
pub mod targets;
pub mod workload;
