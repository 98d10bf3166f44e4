//! Where memory comes from: the contract of a provider, and the providers that
//! come with the crate.
//!
//! | to | use |
//! |---|---|
//! | take pooled memory | `GlobalPool` (feature `std`) |
//! | accept any provider | [`Memory`], or [`MemoryShared`] where it must be `Send + Sync + 'static` |
//! | say where data for an object should be allocated | [`HasMemory`] |
//! | hide which provider it is | [`OpaqueMemory`] |
//! | turn a function into a provider | [`CallbackMemory`] |
//! | turn a [`BlockProvider`] (a crate on `bytesbuf-core` alone) into a provider | [`ProviderMemory`] |
//! | pin block sizes in a test | `testing` (feature `test-util`) |
//!
//! The types that a provider author needs ([`Block`], [`BlockRef`], ...) are those
//! of `bytesbuf-core`, re-exported. A crate that implements a provider should
//! depend on `bytesbuf-core` and not on this crate.

#[cfg(feature = "std")]
mod budgeted;
mod callback;
#[cfg(feature = "std")]
mod charged_block;
#[cfg(feature = "std")]
mod global_pool;
mod has_memory;
mod memory;
mod opaque;
mod provider;
mod request;
mod shared;

pub use bytesbuf_core::{
    Block, BlockMeta, BlockProvider, BlockRef, BlockRefCounted, BlockRefCountedWithMeta,
    BlockRefDynamic, BlockRefDynamicWithMeta, BlockRefVTable, BlockSize, RefCount, ReserveError,
};
#[cfg(feature = "std")]
pub use bytesbuf_pool::{
    Budget, BudgetBuilder, BudgetStats, Charge, ChargeFuture, ClassStats, GlobalPoolBuilder,
    InvalidBudget, InvalidSettings, PoolStats, Pressure, Wipe,
};
#[cfg(feature = "holders")]
pub use bytesbuf_pool::{HolderGroup, HolderSample, Holders, assert_no_outstanding};

#[cfg(feature = "std")]
pub use self::budgeted::BudgetedMemory;
pub use self::callback::CallbackMemory;
#[cfg(feature = "std")]
pub use self::global_pool::GlobalPool;
pub use self::has_memory::HasMemory;
pub use self::memory::Memory;
pub use self::opaque::OpaqueMemory;
pub use self::provider::ProviderMemory;
#[cfg(any(feature = "std", feature = "test-util"))]
pub(crate) use self::request::probe_allocator;
pub(crate) use self::request::{check_delivery, check_request};
pub use self::shared::MemoryShared;

/// Providers whose block sizes are known exactly, for tests.
#[cfg(feature = "test-util")]
pub mod testing {
    pub use crate::testing::{FixedBlockMemory, TransparentMemory};
}
