//! The block ABI of `bytesbuf`: what a memory provider implements.
//!
//! A **block** is a piece of memory that a provider lends. It begins its life as
//! a [`Block`]: sole ownership of fresh, uninitialised capacity. The layer that
//! fills it opens it and shares what is written as immutable views, each of which
//! holds references to the block. When the last reference is dropped, on whatever
//! thread, the block goes back to its provider.
//!
//! ```text
//!   provider ── Block ──► buffer fills it ──► views share it ──► last drop
//!      ▲                     (one writer)       (references)         │
//!      └────────────────────── release ◄────────────────────────────┘
//! ```
//!
//! # Writing a provider
//! 1. Give each block a *state* that begins with a [`RefCount`] and knows the way
//!    home; implement [`BlockRefCounted`] for it, with what happens at the last
//!    release. (If the count lives elsewhere, [`BlockRefDynamic`].)
//! 2. To lend a block: set the count to one, make a [`BlockRef`] from the state
//!    and a constant [`BlockRefVTable`], and a [`Block`] from memory and
//!    reference.
//! 3. Implement [`BlockProvider`], which hands out such blocks.
//!
//! The facade's `mem::ProviderMemory` turns that into a memory provider of its
//! own kind. Blocks may carry typed metadata ([`BlockMeta`]).
//!
//! # What this crate never does
//! It never allocates (feature `alloc` adds [`OwnedMemory`], which boxes what it
//! is given), never locks, never logs, and knows nothing of buffers or pools.
//!
//! # Contents
//! | module | what |
//! |---|---|
//! | `size`, `meta` | [`BlockSize`], [`BlockMeta`] |
//! | `ref_count` | [`RefCount`]: the only retain and release |
//! | `vtable` | the contracts of a block's state, and their table |
//! | `block_ref` | [`BlockRef`], [`BlockRefBatch`] |
//! | `block` | [`Block`] |
//! | `owned` | [`OwnedMemory`] (feature `alloc`) |
//! | `provider`, `error` | [`BlockProvider`], [`ReserveError`] |
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;

mod block;
mod block_ref;
mod error;
mod meta;
#[cfg(test)]
mod model_tests;
#[cfg(feature = "alloc")]
mod owned;
mod provider;
mod ref_count;
mod size;
mod sync;
mod vtable;

pub use block::Block;
pub use block_ref::{BlockRef, BlockRefBatch};
pub use error::ReserveError;
pub use meta::BlockMeta;
#[cfg(feature = "alloc")]
pub use owned::OwnedMemory;
pub use provider::BlockProvider;
pub use ref_count::RefCount;
pub use size::BlockSize;
pub use vtable::{
    BlockRefCounted, BlockRefCountedWithMeta, BlockRefDynamic, BlockRefDynamicWithMeta,
    BlockRefVTable,
};
