//! What must not compile: a bound that goes missing is noticed by no test that runs.
//!
//! Views travel between threads, and their owners with them, so an owner must be `Send`:
//! ```compile_fail,E0277
//! use std::rc::Rc;
//! struct Owner(#[allow(dead_code)] Rc<()>);
//! impl AsRef<[u8]> for Owner {
//!     fn as_ref(&self) -> &[u8] {
//!         b"here"
//!     }
//! }
//! let view = bytesbuf::BytesView::from_owner(Owner(Rc::new(())));
//! ```
//! That is all that keeps this one from compiling:
//! ```
//! use std::sync::Arc;
//! struct Owner(#[allow(dead_code)] Arc<()>);
//! impl AsRef<[u8]> for Owner {
//!     fn as_ref(&self) -> &[u8] {
//!         b"here"
//!     }
//! }
//! let view = bytesbuf::BytesView::from_owner(Owner(Arc::new(())));
//! ```
//!
//! And they live as long as they like, so an owner borrows nothing:
//! ```compile_fail,E0597
//! let bytes = vec![1, 2, 3];
//! let view = bytesbuf::BytesView::from_owner(bytes.as_slice());
//! ```
//! ```
//! let bytes: &'static [u8] = vec![1, 2, 3].leak();
//! let view = bytesbuf::BytesView::from_owner(bytes);
//! ```
//!
//! Shared memory is used by any thread, so what answers must be `Sync`:
//! ```compile_fail,E0277
//! use std::cell::Cell;
//! use bytesbuf::mem::{CallbackMemory, GlobalPool};
//! let (pool, calls) = (GlobalPool::new(), Cell::new(0));
//! let memory = CallbackMemory::new(move |bytes| {
//!     calls.set(calls.get() + 1);
//!     pool.reserve(bytes)
//! });
//! ```
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use bytesbuf::mem::{CallbackMemory, GlobalPool};
//! let (pool, calls) = (GlobalPool::new(), AtomicUsize::new(0));
//! let memory = CallbackMemory::new(move |bytes| {
//!     // Relaxed: partner of nothing; a figure.
//!     calls.fetch_add(1, Ordering::Relaxed);
//!     pool.reserve(bytes)
//! });
//! ```
