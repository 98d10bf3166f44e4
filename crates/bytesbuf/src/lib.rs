//! Byte sequences for I/O: build them in pooled memory, pass them around as cheap
//! immutable views.
//!
//! * [`BytesBuf`] builds a sequence of bytes, append-only, in memory of any provider.
//! * [`BytesView`] is a cheap, immutable, possibly non-contiguous view of bytes:
//!   clones and sub-views share them, reading consumes from the front.
//! * [`mem`] has the memory providers, among them `GlobalPool`, and what it takes to
//!   write one.
//!
//! ```
//! use bytesbuf::mem::GlobalPool;
//!
//! let memory = GlobalPool::new();       // one for the whole program is fine
//! let mut buf = memory.reserve(1024);   // capacity for at least 1024 bytes
//!
//! buf.put_u16_be(5);                    // write ...
//! buf.put_slice(*b"hello");
//! let mut message = buf.consume_all();  // ... and take off what is written
//!
//! let len = message.get_u16_be();       // read from the front
//! let body = message.clone();           // share without copying
//! assert_eq!((len, body.len()), (5, 5));
//! assert_eq!(body, b"hello");
//! ```
//!
//! A buffer is filled by one owner; what is consumed from it can go to any number of
//! threads. When the last view and buffer that covers a part of a block is gone, the
//! block returns to its provider, wherever that happens.
//!
//! # Features
//! | feature | what |
//! |---|---|
//! | `std` (default) | `mem::GlobalPool`, [`BytesBufWriter`], `std::io` traits; without it the crate needs `alloc` only |
//! | `bytes-compat` | `bytes::Buf` and `BufMut`, conversions from and to `bytes::Bytes` |
//! | `test-util` | `mem::testing` |
//! | `thread-aware` | `thread_aware::ThreadAware` for `mem::GlobalPool` |
//! | `holders` | who holds which blocks of a pool since when: `mem::GlobalPool::{tagged, holders}`, `mem::assert_no_outstanding!`; a lock for each reservation and each last release |
//! | `metrics` | figures of a pool for the `metrics` crate: `mem::GlobalPool::publish_metrics` |
//! | `tracing` | events of a pool for the `tracing` crate: waits, refusals, growth, trimming |
//!
//! This is an independent implementation, compatible with the published crate of
//! that name (0.4.2) and not affiliated with it.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod mem;

mod bounds;
mod buf;
mod convert;
mod error;
mod guard;
#[cfg(all(test, feature = "std"))]
mod model_tests;
mod open_block;
mod shared_list;
mod span;
mod span_list;
#[cfg(feature = "test-util")]
mod testing;
#[cfg(feature = "thread-aware")]
mod thread_aware;
mod try_box;
mod view;
#[cfg(feature = "std")]
mod writer;

pub use buf::{BytesBuf, BytesBufRemaining, BytesBufVectoredWrite};
pub use error::{NotEnoughBytes, NotEnoughCapacity};
pub use guard::MemoryGuard;
#[cfg(feature = "std")]
pub use view::BytesViewIoSlices;
pub use view::{BytesView, BytesViewSlices, EscapedBytes, HexBytes, Retention};
#[cfg(feature = "std")]
pub use writer::BytesBufWriter;

/// Kept for source compatibility; spans beyond the first are not stored inline.
#[doc(hidden)]
pub const MAX_INLINE_SPANS: usize = 8;

/// The README's program is compiled and run with the documentation tests.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
