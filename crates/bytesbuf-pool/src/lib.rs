//! The block pool of `bytesbuf`: blocks of 1, 4, 16 and 64 KiB, or of any sizes,
//! rented and released on any thread without waiting for another.
//!
//! ```text
//!              this thread's cache         the depot          slabs         allocator
//!   rent ◄──── loaded │ previous ◄── magazines with blocks ◄── blocks ◄────── slab
//!   release ─► loaded │ previous ──► magazines with blocks ──► blocks ─(idle)─► slab
//! ```
//!
//! Each thread keeps two **magazines**, small stacks of free blocks, for each pool
//! and size class that it uses. Renting pops, releasing pushes: a thread-local
//! access, no lock, no atomic read-modify-write. Only when both are empty or full
//! does a thread exchange one with the **depot**, a lock-free store that the
//! threads of the pool share. A block is released into a magazine of the
//! *releasing* thread, so that a stream of blocks from one thread to another costs
//! one exchange a magazine. Blocks are carved from **slabs**, which go back to the
//! global allocator when all their blocks have come back.
//!
//! # What it promises
//! * A pool, a block, and everything made of it may move to any thread, and may be
//!   dropped there, also while the thread is being torn down (slower: straight to
//!   the slabs).
//! * A thread that ends hands its free blocks to the depot. [`GlobalPool::trim`]
//!   reaches the blocks of threads that are idle.
//! * Blocks may outlive the last handle of their pool. When that goes, free blocks
//!   go back to the allocator at once.
//! * Payloads are aligned to 64 bytes at least. Their content is whatever it was,
//!   unless the pool is told to [wipe](Wipe).
//! * Releasing does not panic and does not fail. Renting reports what the
//!   allocator refuses as an error, and what is over [`Budget`].
//! * The global allocator may itself use the pool (but not wait for budget). Tried on
//!   Linux with glibc; what other systems need of std for that is in `docs/decisions`, 10.
//!
//! # Features
//! All off by default. What is off costs nothing, in memory or in time.
//!
//! | feature | what | costs |
//! |---|---|---|
//! | `holders` | who holds which blocks since when: `GlobalPool::tagged`, `GlobalPool::holders`, `assert_no_outstanding!` | a lock, a hash and a clock for each rental, a lock and a hash for each last release |
//! | `metrics` | figures for the `metrics` crate: `PoolStats::publish`, `GlobalPool::publish_metrics` | nothing until called; `maintain` calls it |
//! | `tracing` | events for the `tracing` crate: waits, refusals, growth, trimming, closing | nothing but there |
//!
//! # Contents
//! | module | what |
//! |---|---|
//! | `pool`, `builder`, `settings` | [`GlobalPool`]: the handle; what a pool is told to be |
//! | `permit` | [`Permit`]: waiting for budget before blocks are rented |
//! | `budget` | [`Budget`]: a limit on bytes, with levels; charges and waiting |
//! | `holders`, `publish`, `events` | who holds what; figures and events for others: the features |
//! | `stats`, `tally` | [`PoolStats`], [`ClassStats`]; the counters behind them |
//! | `lease`, `attended` | to and from core's `Block`: the last release |
//! | `local`, `closed_pools` | which caches a thread has; its exit; that of pools |
//! | `thread_cache`, `barrier` | one thread's share of a pool; how others reach it |
//! | `magazine`, `depot` | stacks of free blocks; where they are exchanged |
//! | `size_class` | which blocks for which request; the constants |
//! | `registry`, `list` | which thread caches a pool has |
//! | `trim`, `clock` | giving memory back |
//! | `shared` | what the threads share; how long it lives |
//! | `header`, `slab`, `slab_store` | a block in memory; where blocks come from |
//! | `alloc`, `pages` | the only alloc and dealloc; what goes back to the system |
//! | `poison` | what the sanitizers are told, in runs under them |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    any(bytesbuf_loom, bytesbuf_shuttle),
    allow(dead_code, reason = "the models do not use all of it")
)]

mod alloc;
mod attended;
mod barrier;
mod budget;
mod builder;
mod clock;
mod closed_pools;
mod depot;
mod events;
mod header;
#[cfg(feature = "holders")]
mod holders;
mod lease;
#[cfg(all(feature = "holders", not(bytesbuf_loom)))]
#[path = "holders/ledger.rs"]
mod ledger;
#[cfg(not(all(feature = "holders", not(bytesbuf_loom))))]
#[path = "holders/no_ledger.rs"]
mod ledger;
mod list;
#[cfg(not(bytesbuf_loom))]
mod local;
#[cfg(bytesbuf_loom)]
#[path = "local_loom.rs"]
mod local;
mod magazine;
#[cfg(all(test, not(bytesbuf_shuttle)))]
mod model_tests;
mod pages;
mod permit;
mod poison;
mod pool;
#[cfg(feature = "metrics")]
mod publish;
mod registry;
mod settings;
mod shared;
#[cfg(all(test, bytesbuf_shuttle))]
mod shuttle_tests;
mod size_class;
mod slab;
mod slab_store;
mod stats;
mod sync;
mod tally;
mod thread_cache;
mod trim;

pub use budget::{
    Budget, BudgetBuilder, BudgetStats, Charge, ChargeFuture, InvalidBudget, Pressure,
};
pub use builder::{GlobalPoolBuilder, InvalidSettings};
#[cfg(feature = "holders")]
pub use holders::{HolderGroup, HolderSample, Holders};
pub use permit::Permit;
pub use pool::GlobalPool;
pub use settings::Wipe;
pub use stats::{ClassStats, PoolStats};
