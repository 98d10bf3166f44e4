//! Which types may be sent and shared, and which may not be copied: every public type
//! of the crate.
#![cfg(all(feature = "alloc", not(bytesbuf_loom)))]

use std::panic::{RefUnwindSafe, UnwindSafe};

use bytesbuf_core::{
    Block, BlockMeta, BlockProvider, BlockRef, BlockRefBatch, BlockRefVTable, BlockSize,
    OwnedMemory, RefCount, ReserveError,
};
use static_assertions::{assert_impl_all, assert_not_impl_any, assert_obj_safe};

assert_impl_all!(Block: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BlockRef: Send, Sync, Unpin, Clone, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BlockRefBatch: Send, Sync, Unpin, Clone);
assert_impl_all!(BlockRefVTable<*mut u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BlockSize: Send, Sync, Copy);
assert_impl_all!(OwnedMemory: Send, Sync, Unpin);
assert_impl_all!(RefCount: Send, Sync, Unpin);
assert_impl_all!(ReserveError: Send, Sync, Unpin, std::error::Error);
assert_impl_all!(dyn BlockMeta: Send, Sync);
assert_obj_safe!(BlockMeta, BlockProvider);

// One owner of the capacity, one of each batch, one count of each thing.
assert_not_impl_any!(Block: Clone, Copy, Default);
assert_not_impl_any!(BlockRef: Copy, Default);
assert_not_impl_any!(BlockRefBatch: Copy, Default);
assert_not_impl_any!(OwnedMemory: Clone, Copy);
assert_not_impl_any!(RefCount: Clone, Copy, Default);

/// The compiler has checked the lines above. This checks that there is one for each type
/// (the traits of providers promise nothing).
#[test]
fn no_public_type_is_left_out() {
    let here = include_str!("auto_traits.rs");
    let types = exported(include_str!("../src/lib.rs"));
    assert!(types.len() > 10, "{types:?}");
    let asserted = |name: &str| {
        ["(", "<", "dyn ", "safe!(", ", "].iter().any(|before| {
            [":", "<", ")", ","]
                .iter()
                .any(|after| here.contains(&format!("{before}{name}{after}")))
        })
    };
    let traits_of_providers = ["BlockRefCounted", "BlockRefDynamic"];
    for name in types {
        let of_provider = traits_of_providers
            .iter()
            .any(|prefix| name.starts_with(prefix));
        assert!(
            of_provider || asserted(name),
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
