//! Behaviour of the pool through its public API.
#![cfg(not(bytesbuf_loom))]

mod apart;
mod budget;
mod budgeted;
mod classes;
mod corners;
mod lifetime;
mod machine;
mod pass_through;
mod printing;
mod provide;
mod reuse;
mod stats;
mod teardown;
mod threads;
mod trim;
mod util;
mod wipe;
mod written;
