//! Behaviour of the pool through its public API.
#![cfg(not(bytesbuf_loom))]

mod budget;
mod classes;
mod lifetime;
mod provide;
mod reuse;
mod stats;
mod teardown;
mod threads;
mod trim;
mod util;
mod written;
