//! `Debug` and `Display` of everything, in every state: they say something, and
//! neither content nor addresses.

use std::fmt::Debug;

use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{
    Budget, BudgetedMemory, CallbackMemory, GlobalPool, Memory, OpaqueMemory, ProviderMemory,
    ReserveError,
};
use bytesbuf::{BytesBuf, BytesView, MemoryGuard};

use crate::states::{BUFFERS, VIEWS, memory};

/// Both say the same, though they are elsewhere in memory.
#[track_caller]
fn same(one: &dyn Debug, other: &dyn Debug) {
    let text = format!("{one:?}");
    assert!(!text.is_empty());
    assert_eq!(text, format!("{other:?}"));
    let tall = format!("{one:#?}");
    assert_eq!(tall, format!("{other:#?}"));
    assert!(!text.contains("0x") && !tall.contains("0x"), "{text}");
}

#[test]
fn buffers_in_every_state() {
    for (_, make) in BUFFERS {
        let memories = (memory(), memory());
        let (mut one, mut other) = (make(&memories.0), make(&memories.1));
        same(&one, &other);
        same(&one.extend_lifetime(), &other.extend_lifetime());
        same(
            &one.begin_vectored_write(None),
            &other.begin_vectored_write(None),
        );
        let (mut a, mut b) = (
            one.begin_vectored_write(None),
            other.begin_vectored_write(None),
        );
        same(&a.slices_mut(), &b.slices_mut());
        let pools = (TransparentMemory::new(), TransparentMemory::new());
        same(&one.into_writer(pools.0), &other.into_writer(pools.1));
    }
}

#[test]
fn views_in_every_state() {
    for (name, make) in VIEWS {
        let memories = (memory(), memory());
        let (one, other) = (make(&memories.0), make(&memories.1));
        same(&one, &other);
        same(&one.slices(), &other.slices());
        same(&one.extend_lifetime(), &other.extend_lifetime());
        // Content on request only.
        let (text, hex) = (one.escaped().to_string(), one.hex().to_string());
        assert_eq!(hex.len(), 2 * one.len(), "{name}");
        assert_eq!(text, one.to_vec().escape_ascii().to_string(), "{name}");
        assert!(format!("{:?}", one.escaped()).contains(&text), "{name}");
        assert!(format!("{:?}", one.hex()).contains(&hex), "{name}");
        // The slices of `IoSlice` show content, as std does.
        let listed = format!("{:?}", one.io_slices());
        assert!(!listed.is_empty());
    }
}

#[test]
fn memories_and_blocks() {
    let budget = Budget::new(10_000);
    let make = || {
        let pool = GlobalPool::new();
        let callback = CallbackMemory::new(|bytes| TransparentMemory::new().reserve(bytes));
        let all: Vec<Box<dyn Debug>> = vec![
            Box::new(pool.clone()),
            Box::new(callback.clone()),
            Box::new(OpaqueMemory::new(callback)),
            Box::new(TransparentMemory::new()),
            Box::new(FixedBlockMemory::new(std::num::NonZero::<u32>::MIN)),
            Box::new(BudgetedMemory::new(pool.clone(), &budget)),
            Box::new(ProviderMemory::new(Nothing)),
            Box::new(MemoryGuard::default()),
            Box::new(pool.with_budget(&budget)),
            Box::new(GlobalPool::builder()),
            Box::new(pool.stats()),
            Box::new(budget.stats()),
        ];
        all
    };
    for (one, other) in make().into_iter().zip(make()) {
        same(&one, &other);
    }
    // With something in it, the figures are right.
    let pool = GlobalPool::new();
    let buf = pool.reserve(70_000);
    assert!(format!("{pool:?}").contains("131072"), "{pool:?}");
    drop(buf);
    assert!(format!("{pool:?}").contains("bytes_in_use: 0"), "{pool:?}");
}

#[derive(Debug)]
struct Nothing;

impl bytesbuf::mem::BlockProvider for Nothing {
    fn provide(
        &self,
        _: usize,
        _: &mut dyn FnMut(bytesbuf::mem::Block),
    ) -> Result<(), ReserveError> {
        Ok(())
    }
}

#[test]
fn errors_carry_their_numbers() {
    let pool = GlobalPool::builder().max_bytes(4096).build().unwrap();
    let held = pool.reserve(1024);
    let texts = [
        pool.try_reserve(usize::MAX).unwrap_err().to_string(),
        pool.try_reserve(4000).unwrap_err().to_string(),
        ProviderMemory::new(Nothing)
            .try_reserve(7)
            .unwrap_err()
            .to_string(),
        BytesBuf::new()
            .try_put_slice(b"abc")
            .unwrap_err()
            .to_string(),
        BytesView::new().try_get_u32_le().unwrap_err().to_string(),
    ];
    let max = usize::MAX.to_string();
    for (text, numbers) in texts.iter().zip([
        &[max.as_str()][..],
        &["4096", "1024"],
        &["7", "0"],
        &["3", "0"],
        &["4", "0"],
    ]) {
        for number in numbers {
            assert!(text.contains(number), "{text:?} lacks {number}");
        }
    }
    drop(held);
    assert_eq!(Memory::reserve(&pool, 1).capacity(), 1024);
}
