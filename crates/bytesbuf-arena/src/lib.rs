//! A memory provider on `bytesbuf-core` alone: one allocation, cut into equal
//! slots.
//!
//! Devices and kernels often want I/O in memory that was registered with them
//! beforehand, and then name a piece of it by a number. An [`Arena`] is such
//! memory: its slots are lent as blocks, and each block carries a [`SlotMeta`]
//! that says which slot of which arena it is. Whoever does I/O on a byte sequence
//! finds the number there.
//!
//! It is also the worked example of `docs/PROVIDERS.md`.
//!
//! ```text
//!   Arena ──► Shared ──► Region  [ slot 0 | slot 1 | slot 2 | ... ]   one allocation
//!               ▲  │
//!               │  ├───► slots   [ count, meta, home ] ...            one per slot
//!     while lent│  │                           │
//!               └──┼───────────────────────────┘
//!                  └───► free    [ 2, 0, ... ]                        numbers of idle slots
//! ```
//!
//! The facade uses it in one call, `bytesbuf::mem::ProviderMemory::new(arena)`.
//!
//! # Contents
//! | module | what |
//! |---|---|
//! | `arena` | [`Arena`]: lends slots, takes them back |
//! | `slot` | the state behind a block, [`SlotMeta`] |
//! | `region` | the one allocation |

mod arena;
mod region;
mod slot;

pub use arena::Arena;
pub use slot::SlotMeta;

// The code on the page is compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/PROVIDERS.md")]
struct ProvidersPage;
