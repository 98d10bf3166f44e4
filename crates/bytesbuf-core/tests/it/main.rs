//! Behaviour of blocks, references and counts through the public API.
#![cfg(not(bytesbuf_loom))]

mod block;
mod count;
mod handles;
mod lender;
