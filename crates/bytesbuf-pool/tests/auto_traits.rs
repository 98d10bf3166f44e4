//! Which types may be sent and shared, and which may not be copied: every public type
//! of the crate.
#![cfg(not(bytesbuf_loom))]

use std::panic::{RefUnwindSafe, UnwindSafe};

use bytesbuf_pool::{
    Budget, BudgetBuilder, BudgetStats, Charge, ChargeFuture, ClassStats, GlobalPool,
    GlobalPoolBuilder, InvalidBudget, InvalidSettings, Permit, PoolStats, Pressure, Wipe,
};
#[cfg(feature = "holders")]
use bytesbuf_pool::{HolderGroup, HolderSample, Holders};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(GlobalPool: Send, Sync, Unpin, Clone, UnwindSafe, RefUnwindSafe);
assert_impl_all!(GlobalPoolBuilder: Send, Sync, Unpin, Clone);
assert_impl_all!(Budget: Send, Sync, Unpin, Clone, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BudgetBuilder: Send, Sync, Unpin, Clone);
assert_impl_all!(BudgetStats: Send, Sync, Unpin, Clone, Eq);
assert_impl_all!(Charge: Send, Sync, Unpin);
assert_impl_all!(ChargeFuture: Send, Sync, Unpin);
assert_impl_all!(ClassStats: Send, Sync, Unpin, Clone);
assert_impl_all!(PoolStats: Send, Sync, Unpin, Clone);
assert_impl_all!(Permit: Send, Sync, Unpin);
assert_impl_all!(Pressure: Send, Sync, Unpin, Copy);
assert_impl_all!(Wipe: Send, Sync, Unpin, Copy);
assert_impl_all!(InvalidBudget: Send, Sync, Unpin, std::error::Error);
assert_impl_all!(InvalidSettings: Send, Sync, Unpin, std::error::Error);
#[cfg(feature = "holders")]
assert_impl_all!(Holders: Send, Sync, Unpin, Clone);
#[cfg(feature = "holders")]
assert_impl_all!(HolderGroup: Send, Sync, Unpin, Clone);
#[cfg(feature = "holders")]
assert_impl_all!(HolderSample: Send, Sync, Unpin, Clone);

// A charge is credited once, a permit used once, a place in the queue left once.
assert_not_impl_any!(Charge: Clone, Copy, Default);
assert_not_impl_any!(Permit: Clone, Copy, Default);
assert_not_impl_any!(ChargeFuture: Clone, Copy, Default);
// Which pool or budget to use is a decision to be seen.
assert_not_impl_any!(GlobalPool: Copy, Default);
assert_not_impl_any!(Budget: Copy, Default);

/// The future of a permit, whose type has no name.
fn is_send(_: &impl Send) {}

#[test]
fn unnamed_futures_may_be_sent() {
    is_send(&GlobalPool::new().permit_async(1));
}

/// The compiler has checked the lines above. This checks that there is one for each type.
#[test]
fn no_public_type_is_left_out() {
    let here = include_str!("auto_traits.rs");
    let types = exported(include_str!("../src/lib.rs"));
    assert!(types.len() > 10, "{types:?}");
    for name in types {
        let line = format!("assert_impl_all!({name}: ");
        assert!(
            here.contains(&line),
            "{name} is not asserted to be anything"
        );
    }
}

/// Names with a capital in the `pub use` lines of a crate's root.
fn exported(root: &str) -> Vec<&str> {
    let uses = root.split("pub use ").skip(1);
    let lists = uses.filter_map(|rest| rest.split(';').next());
    let words = lists.flat_map(|list| list.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words
        .filter(|word| word.starts_with(char::is_uppercase))
        .collect()
}
