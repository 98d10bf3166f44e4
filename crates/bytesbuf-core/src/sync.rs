//! The door to atomics: the standard ones, or loom's under `--cfg bytesbuf_loom`.
//!
//! Nothing else in this crate names `core::sync::atomic`.

#[cfg(not(bytesbuf_loom))]
pub(crate) use core::sync::atomic::{AtomicUsize, Ordering, fence};

#[cfg(bytesbuf_loom)]
pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering, fence};
