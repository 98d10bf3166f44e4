//! The block pool of `bytesbuf`: blocks of 1, 4, 16 and 64 KiB, rented and released
//! on any thread without waiting for another.
//!
//! ```text
//!              this thread's cache           the depot                 allocator
//!   rent ◄──── loaded │ previous ◄── magazines with blocks ◄───────── one block
//!   release ─► loaded │ previous ──► magazines with blocks ─ (full) ─► blocks
//! ```
//!
//! Each thread keeps two **magazines**, small stacks of free blocks, for each pool
//! and size class that it uses. Renting pops, releasing pushes: a thread-local
//! access, no lock, no atomic read-modify-write. Only when both are empty or full
//! does a thread exchange one with the **depot**, a lock-free store that the
//! threads of the pool share. A block is released into a magazine of the
//! *releasing* thread, so that a stream of blocks from one thread to another costs
//! one exchange a magazine.
//!
//! # What it promises
//! * A pool, a block, and everything made of it may move to any thread, and may be
//!   dropped there, also while the thread is being torn down (slower: straight to
//!   the allocator).
//! * A thread that ends hands its free blocks to the depot.
//! * Blocks may outlive the last handle of their pool. When that goes, free blocks
//!   go back to the allocator: those in the depot and with the closing thread at
//!   once, those with another thread when it next looks for a cache or ends.
//! * Payloads are aligned to 64 bytes. Their content is whatever it was.
//! * Releasing does not panic and does not fail. Renting reports what the
//!   allocator refuses as an error.
//! * The global allocator may itself use the pool.
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
//! | `size_class` | [`SizeClass`]: which blocks for which request; the constants |
//! | `pool` | [`GlobalPool`]: the handle |
//! | `holders`, `publish`, `events` | who holds what; figures and events for others: the features |
//! | `stats`, `tally` | [`PoolStats`], [`ClassStats`]; the counters behind them |
//! | `lease` | to and from core's `Block`: the last release |
//! | `local` | which caches a thread has; its exit |
//! | `thread_cache` | one thread's share of a pool |
//! | `magazine`, `depot` | stacks of free blocks; where they are exchanged |
//! | `registry` | which thread caches a pool has |
//! | `shared` | what the threads share; how long it lives |
//! | `header`, `slab` | a block in memory; the only alloc and dealloc |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    bytesbuf_loom,
    allow(
        dead_code,
        reason = "the models use no thread-locals and no statistics"
    )
)]

mod alloc;
mod attended;
mod barrier;
mod budget;
mod builder;
mod clock;
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
#[cfg(test)]
mod model_tests;
mod pages;
mod permit;
mod pool;
#[cfg(feature = "metrics")]
mod publish;
mod registry;
mod settings;
mod shared;
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
