//! The door to atomics: the standard ones, or those of a model checker, loom's under
//! `--cfg bytesbuf_loom` and shuttle's under `--cfg bytesbuf_shuttle`.
//!
//! Nothing else in this crate names `core::sync::atomic`.

#[cfg(not(any(bytesbuf_loom, bytesbuf_shuttle)))]
pub(crate) use core::sync::atomic::{AtomicUsize, Ordering, fence};

#[cfg(bytesbuf_loom)]
pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering, fence};

#[cfg(bytesbuf_shuttle)]
pub(crate) use shuttle::sync::atomic::{AtomicUsize, Ordering, fence};
