//! `Debug` and `Display` of every type in every state: figures, no addresses, and no
//! look at what is gone.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use bytesbuf_core::ReserveError;
use bytesbuf_pool::{Budget, GlobalPool, InvalidBudget, InvalidSettings, Pressure, Wipe};

use crate::util::{LARGE, SMALL};

/// Says all of it, in both forms.
#[track_caller]
fn says(value: &dyn Debug, parts: &[&str]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        for part in parts {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
        assert!(!text.contains("0x"), "an address in {text:?}");
    }
}

#[test]
fn pools_in_every_state() {
    let pool = GlobalPool::builder()
        .name("printed")
        .max_bytes(8 * LARGE)
        .build()
        .unwrap();
    says(&pool, &["bytes_in_use: 0", "thread_caches: "]);
    let block = pool.rent(SMALL).unwrap();
    let direct = pool.rent_contiguous(2 * LARGE).unwrap();
    let in_use = SMALL + direct.len().get() as usize;
    says(&pool, &[&format!("bytes_in_use: {in_use}")]);
    let stats = pool.stats();
    says(&stats, &["printed"]);
    for class in stats.classes() {
        says(&class, &[&class.block_size().to_string()]);
    }
    says(&block, &["len: 1024"]);
    drop(direct);
    // While the block outlives its pool.
    drop(pool);
    says(&block, &["len: 1024"]);
    let (_, _, batch) = block.open();
    says(&batch, &["weight"]);
    // The figures of a pool that is gone.
    says(&stats, &["printed"]);
    assert!(
        stats
            .to_string()
            .contains(&format!("total: {in_use} bytes rented"))
    );
}

#[test]
fn budgets_and_charges_in_every_state() {
    let root = Budget::builder(1000)
        .name("root")
        .soft(500)
        .hard(900)
        .build()
        .unwrap();
    let child = root.child(600);
    says(&root, &["root", "1000"]);
    let charge = child.try_charge(550).unwrap();
    says(&root, &["550"]);
    says(&child, &["550", "600"]);
    says(&charge, &["550"]);
    says(&child.stats(), &["in_use: 550", "limit: 600", "root"]);
    let printed = child.stats().to_string();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "one for each level");
    assert!(lines[0].starts_with("budget: 550 of 600"), "{printed}");
    assert!(lines[1].starts_with("root: 550 of 1000"), "{printed}");
    // The handles are gone, the charge goes on.
    drop((root, child));
    says(&charge, &["550"]);
    says(charge.budget(), &["600"]);
}

#[test]
fn futures_and_permits_in_every_state() {
    let budget = Budget::new(100);
    let held = budget.try_charge(100).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(budget.charge_async(60));
    says(&future, &["bytes: 60", "New", "levels_charged: 0"]);
    assert!(future.as_mut().poll(&mut cx).is_pending());
    says(&future, &["bytes: 60", "Climbing"]);
    says(&budget, &["100"]);
    assert_eq!(budget.stats().waiting, 1);
    // Granted, and not yet seen.
    drop(held);
    says(&future, &["bytes: 60"]);
    assert!(future.as_mut().poll(&mut cx).is_ready());
    says(&future, &["Done"]);

    let pool = GlobalPool::builder().max_bytes(LARGE).build().unwrap();
    let permit = pool.permit_timeout(SMALL, Duration::ZERO).unwrap();
    says(&permit, &["min_bytes: 1024"]);
    permit.provide(&mut |_| ()).unwrap();
    says(
        &GlobalPool::new().permit_timeout(1, Duration::ZERO).unwrap(),
        &["charge: None"],
    );
}

#[test]
fn settings_and_errors() {
    #[track_caller]
    fn numbers(error: &dyn Display, numbers: &[usize]) {
        let text = error.to_string();
        for number in numbers {
            assert!(
                text.contains(&number.to_string()),
                "{text:?} lacks {number}"
            );
        }
    }
    says(&GlobalPool::builder().name("built"), &["built"]);
    says(&Budget::builder(7), &["7"]);
    says(
        &[Wipe::Never, Wipe::OnReuse, Wipe::OnRelease],
        &["Never", "OnReuse", "OnRelease"],
    );
    says(&Budget::new(10).pressure(), &["Low"]);
    assert!(Budget::new(10).pressure() < Pressure::Hard);
    numbers(
        &InvalidBudget::SoftAboveHard { soft: 12, hard: 34 },
        &[12, 34],
    );
    numbers(
        &InvalidBudget::SoftAboveLimit {
            soft: 12,
            limit: 34,
        },
        &[12, 34],
    );
    numbers(
        &InvalidBudget::HardAboveLimit {
            hard: 12,
            limit: 34,
        },
        &[12, 34],
    );
    numbers(&InvalidSettings::Alignment { alignment: 77 }, &[77]);
    numbers(
        &InvalidSettings::ClassOrder {
            size: 12,
            before: 34,
        },
        &[12, 34],
    );
    numbers(
        &InvalidSettings::ClassCount { given: 12, max: 34 },
        &[12, 34],
    );
    let pool = GlobalPool::builder().max_bytes(2048).build().unwrap();
    let _block = pool.rent(1).unwrap();
    let refused = pool.rent(2000).unwrap_err();
    assert!(matches!(refused, ReserveError::OverBudget { .. }));
    numbers(&refused, &[4096, 1024, 2048]);
    says(&refused, &["4096", "1024", "2048"]);
}

#[cfg(feature = "holders")]
#[test]
fn holders_in_every_state() {
    let pool = GlobalPool::builder().backtraces(1).build().unwrap();
    says(&pool.holders(), &[]);
    assert!(!pool.holders().to_string().is_empty());
    let block = pool.tagged("connection").rent(SMALL).unwrap();
    let holders = pool.holders();
    says(&holders.of("connection").unwrap().bytes(), &["1024"]);
    assert!(holders.to_string().contains("connection"));
    drop(block);
    assert!(
        holders.to_string().contains("connection"),
        "figures of then"
    );
}
