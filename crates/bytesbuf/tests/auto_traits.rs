//! Which types may be sent and shared, and which may not be copied: every public type
//! of the crate, with its providers.
#![cfg(all(feature = "std", feature = "test-util", not(bytesbuf_loom)))]

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};

use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{
    BudgetedMemory, CallbackMemory, GlobalPool, HasMemory, Memory, MemoryShared, OpaqueMemory,
    ProviderMemory,
};
use bytesbuf::{
    BytesBuf, BytesBufRemaining, BytesBufVectoredWrite, BytesBufWriter, BytesView,
    BytesViewIoSlices, BytesViewSlices, EscapedBytes, HexBytes, MemoryGuard, NotEnoughBytes,
    NotEnoughCapacity, Retention,
};
use static_assertions::{assert_impl_all, assert_not_impl_any, assert_obj_safe};

assert_impl_all!(BytesBuf: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BytesBufRemaining<'static>: Send, Sync, Unpin, RefUnwindSafe);
assert_impl_all!(BytesBufVectoredWrite<'static>: Send, Sync, Unpin, RefUnwindSafe);
assert_impl_all!(BytesBufWriter<GlobalPool>: Send, Sync, Unpin);
assert_impl_all!(BytesView: Send, Sync, Unpin, Clone, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BytesViewIoSlices<'static>: Send, Sync, Unpin, Clone);
assert_impl_all!(BytesViewSlices<'static>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(EscapedBytes<'static>: Send, Sync, Unpin);
assert_impl_all!(HexBytes<'static>: Send, Sync, Unpin);
assert_impl_all!(MemoryGuard: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(NotEnoughBytes: Send, Sync, Unpin, Copy, std::error::Error);
assert_impl_all!(NotEnoughCapacity: Send, Sync, Unpin, Copy, std::error::Error);
assert_impl_all!(Retention: Send, Sync, Unpin, Copy);

assert_impl_all!(GlobalPool: Send, Sync, Unpin, Clone, MemoryShared);
assert_impl_all!(OpaqueMemory: Send, Sync, Unpin, Clone, MemoryShared);
assert_impl_all!(CallbackMemory<fn(usize) -> BytesBuf>: Send, Sync, Unpin, Clone, MemoryShared);
assert_impl_all!(ProviderMemory<bytesbuf_pool::GlobalPool>: Send, Sync, Unpin, MemoryShared);
assert_impl_all!(BudgetedMemory<GlobalPool>: Send, Sync, Unpin, Clone, MemoryShared);
assert_impl_all!(TransparentMemory: Send, Sync, Unpin, MemoryShared);
assert_impl_all!(FixedBlockMemory: Send, Sync, Unpin, MemoryShared);
assert_obj_safe!(Memory, MemoryShared);

// A buffer has one owner, a guard one end, a write is committed once.
assert_not_impl_any!(BytesBuf: Clone, Copy);
assert_not_impl_any!(BytesView: Copy);
assert_not_impl_any!(MemoryGuard: Clone, Copy);
assert_not_impl_any!(BytesBufVectoredWrite<'static>: Clone, Copy);
assert_not_impl_any!(BytesBufRemaining<'static>: Clone, Copy);
assert_not_impl_any!(BytesBufWriter<GlobalPool>: Clone, Copy);
assert_not_impl_any!(GlobalPool: Copy, Default);

/// A memory of one thread.
#[derive(Debug)]
struct Local(#[expect(dead_code, reason = "makes the type one of one thread")] Cell<u8>);

impl Memory for Local {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        TransparentMemory::new().reserve(min_bytes)
    }
}

#[derive(Debug)]
struct Pinned(#[expect(dead_code, reason = "makes the type one of one thread")] *const u8);

impl bytesbuf_core::BlockProvider for Pinned {
    fn provide(
        &self,
        _: usize,
        _: &mut dyn FnMut(bytesbuf_core::Block),
    ) -> Result<(), bytesbuf_core::ReserveError> {
        Ok(())
    }
}

// What wraps a memory of one thread stays on it, and nobody can erase that.
assert_impl_all!(Local: Memory, Send);
assert_not_impl_any!(Local: Sync, MemoryShared);
assert_not_impl_any!(Pinned: Send, Sync);
assert_not_impl_any!(ProviderMemory<Pinned>: Send, Sync, MemoryShared);
assert_not_impl_any!(BytesBufWriter<ProviderMemory<Pinned>>: Send, Sync);
assert_not_impl_any!(BytesBufWriter<Local>: Sync);
assert_not_impl_any!(BudgetedMemory<Local>: Sync, MemoryShared);
assert_not_impl_any!(BudgetedMemory<ProviderMemory<Pinned>>: Send, Sync, MemoryShared);
assert_not_impl_any!(&'static Local: Send, MemoryShared);

/// What gives a memory gives one for any thread.
#[derive(Debug)]
struct Owner(GlobalPool);

impl HasMemory for Owner {
    fn memory(&self) -> impl MemoryShared {
        self.0.clone()
    }
}

fn is_send(_: &impl Send) {}

#[test]
fn unnamed_futures_and_memories_may_be_sent() {
    let pool = GlobalPool::new();
    is_send(&pool.reserve_async(1));
    let budget = bytesbuf::mem::Budget::new(10);
    is_send(&BudgetedMemory::new(pool.clone(), &budget).reserve_async(1));
    is_send(&Owner(pool).memory());
}

/// The compiler has checked the lines above. This checks that there is one for each type
/// (those of core and pool are asserted there).
#[test]
fn no_public_type_is_left_out() {
    let here = include_str!("auto_traits.rs");
    let mem = include_str!("../src/mem/mod.rs");
    let own_uses = mem.split("pub use self::").skip(1);
    let own: Vec<_> = own_uses.filter_map(|rest| rest.split(';').next()).collect();
    let own = own.join(";pub use ");
    let root = format!("{};pub use {own};", include_str!("../src/lib.rs"));
    let types = exported(&root);
    assert!(types.len() > 18, "{types:?}");
    for name in types {
        let asserted = ["(", ", ", " "]
            .iter()
            .any(|before| here.contains(&format!("{before}{name}")));
        assert!(asserted, "{name} is not asserted to be anything");
    }
}

/// Names with a capital in the `pub use` lines of a crate's root.
fn exported(root: &str) -> Vec<&str> {
    let uses = root.split("pub use ").skip(1);
    let lists = uses.filter_map(|rest| rest.split(';').next());
    let words = lists.flat_map(|list| list.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let all_capitals = |word: &str| word.chars().all(|c| !c.is_lowercase());
    words
        .filter(|word| word.starts_with(char::is_uppercase) && !all_capitals(word))
        .collect()
}
