//! Budgets: charging, nesting, figures. Below: waiting, threads, random operations.

mod fragile;
mod handles;
mod known;
mod random;
mod threads;
mod wait;
mod wakers;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytesbuf_core::ReserveError;
use bytesbuf_pool::{Budget, BudgetBuilder, Charge, ChargeFuture, InvalidBudget, Pressure};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Budget: Send, Sync, Unpin, Clone, std::fmt::Debug);
assert_impl_all!(Budget: std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(Charge: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(ChargeFuture: Send, Sync, Unpin, std::fmt::Debug);
assert_not_impl_any!(Charge: Clone, Copy);

const MAX: usize = isize::MAX as usize;

/// Counts wakes.
struct Woken(AtomicUsize);

impl Woken {
    fn new() -> (Arc<Self>, Waker) {
        let woken = Arc::new(Self(AtomicUsize::new(0)));
        (Arc::clone(&woken), Waker::from(woken))
    }

    fn count(&self) -> usize {
        // SeqCst: partner of the addition in `wake`.
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        // SeqCst: partner of the load in `count`.
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(request: &mut ChargeFuture, waker: &Waker) -> Poll<Result<Charge, ReserveError>> {
    Pin::new(request).poll(&mut Context::from_waker(waker))
}

/// Polls a request that must wait.
#[track_caller]
fn poll_pending(request: &mut ChargeFuture, waker: &Waker) {
    assert!(poll(request, waker).is_pending(), "has to wait");
}

/// Polls a request that must be granted.
#[track_caller]
fn poll_ready(request: &mut ChargeFuture) -> Charge {
    match poll(request, Waker::noop()) {
        Poll::Ready(charge) => charge.unwrap(),
        Poll::Pending => panic!("there is room"),
    }
}

#[track_caller]
fn check_refused(outcome: Result<Charge, ReserveError>, expected: (usize, usize, usize)) {
    match outcome {
        Err(ReserveError::OverBudget {
            requested,
            in_use,
            limit,
        }) => assert_eq!((requested, in_use, limit), expected),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_refusal_has_the_figures_of_the_lowest_level_that_lacks_room() {
    let root = Budget::new(1000);
    let leaf = root.child(100);
    let (a, b) = (leaf.try_charge(60).unwrap(), root.try_charge(930).unwrap());
    check_refused(leaf.try_charge(41), (41, 60, 100));
    check_refused(leaf.try_charge(40), (40, 990, 1000));
    check_refused(root.try_charge(11), (11, 990, 1000));
    check_refused(root.try_charge(usize::MAX), (usize::MAX, 990, 1000));
    check_refused(leaf.try_charge(usize::MAX), (usize::MAX, 60, 100));
    assert_eq!((leaf.in_use(), root.in_use()), (60, 990));
    assert_eq!((leaf.peak(), root.peak()), (60, 990), "none got in");
    assert_eq!(leaf.stats().refusals, 2);
    assert_eq!(root.stats().refusals, 3);
    let exactly = leaf.try_charge(10).unwrap();
    drop((a, b, exactly));
    assert_eq!((leaf.in_use(), root.in_use()), (0, 0));
}

#[test]
fn limits_above_the_largest_count_as_that() {
    for limit in [MAX, MAX + 1, usize::MAX] {
        let budget = Budget::new(limit);
        assert_eq!(budget.limit(), MAX);
        check_refused(budget.try_charge(MAX + 1), (MAX + 1, 0, MAX));
        check_refused(budget.try_charge(usize::MAX), (usize::MAX, 0, MAX));
        let all = budget.try_charge(MAX).unwrap();
        check_refused(budget.try_charge(1), (1, MAX, MAX));
        check_refused(budget.try_charge(usize::MAX), (usize::MAX, MAX, MAX));
        assert_eq!(budget.pressure(), Pressure::Hard);
        drop(all);
        assert_eq!((budget.in_use(), budget.peak()), (0, MAX));
    }
}

#[test]
fn zero_bytes_always_succeed() {
    for budget in [Budget::new(0), Budget::new(0).child(5), Budget::new(7)] {
        let all = budget.try_charge(budget.available()).unwrap();
        let mut waits = budget.charge_async(7);
        if budget.limit() == 7 {
            poll_pending(&mut waits, Waker::noop());
        }
        let nothing = budget.try_charge(0).unwrap();
        assert_eq!(nothing.bytes(), 0);
        assert_eq!(poll_ready(&mut budget.charge_async(0)).bytes(), 0);
        drop((all, waits, nothing));
        assert_eq!(budget.in_use(), 0);
    }
}

#[test]
fn charges_count_at_every_level() {
    let root = Budget::new(100);
    let (left, right) = (root.child(80), root.child(usize::MAX));
    let leaf = left.child(30);
    let charges = [
        leaf.try_charge(10).unwrap(),
        left.try_charge(20).unwrap(),
        right.try_charge(25).unwrap(),
        root.try_charge(5).unwrap(),
    ];
    let in_use = [&leaf, &left, &right, &root].map(Budget::in_use);
    assert_eq!(in_use, [10, 30, 25, 60]);
    let available = [&leaf, &left, &right, &root].map(Budget::available);
    assert_eq!(available, [20, 40, 40, 40]);
    drop(charges);
    assert_eq!([&leaf, &left, &right, &root].map(Budget::in_use), [0; 4]);
    assert_eq!(
        [&leaf, &left, &right, &root].map(Budget::peak),
        [10, 30, 25, 60]
    );
}

#[test]
fn a_charge_is_split_and_dropped_in_parts() {
    let root = Budget::new(100);
    let leaf = root.child(100);
    let mut charge = leaf.try_charge(10).unwrap();
    assert!(charge.split(11).is_none());
    assert!(charge.split(usize::MAX).is_none());
    assert_eq!(charge.bytes(), 10, "nothing has changed");
    let four = charge.split(4).unwrap();
    let zero = charge.split(0).unwrap();
    let six = charge.split(6).unwrap();
    let parts = [&charge, &zero, &four, &six].map(Charge::bytes);
    assert_eq!(parts, [0, 0, 4, 6]);
    for (part, left) in [(charge, 10), (four, 6), (zero, 6), (six, 0)] {
        assert_eq!(part.budget().limit(), 100);
        drop(part);
        assert_eq!((leaf.in_use(), root.in_use()), (left, left));
    }
}

#[test]
fn charges_and_children_keep_their_budget() {
    let root = Budget::new(10);
    let charge = root.child(10).child(10).try_charge(3).unwrap();
    let names = charge.budget().stats();
    assert_eq!(names.ancestors.len(), 2);
    assert_eq!(root.in_use(), 3);
    drop(charge);
    assert_eq!(root.in_use(), 0);
}

#[test]
fn a_long_chain_of_levels_is_dropped() {
    let levels = if cfg!(miri) { 500 } else { 200_000 };
    let mut budget = Budget::new(10);
    for _ in 0..levels {
        budget = budget.child(10);
    }
    drop(budget.try_charge(10).unwrap());
    assert_eq!(budget.stats().ancestors.len(), levels);
    drop(budget);
}

#[test]
fn pressure_is_the_highest_over_all_levels() {
    #[track_caller]
    fn check(builder: BudgetBuilder, in_use: usize, expected: Pressure) {
        let budget = builder.build().unwrap();
        let child = budget.child(usize::MAX);
        let charge = budget.try_charge(in_use).unwrap();
        assert_eq!(budget.pressure(), expected);
        assert_eq!(child.pressure(), expected);
        drop(charge);
    }
    let of = Budget::builder;
    for (in_use, expected) in [
        (0, Pressure::Low),
        (74, Pressure::Low),
        (75, Pressure::Soft),
        (89, Pressure::Soft),
        (90, Pressure::Hard),
        (100, Pressure::Hard),
    ] {
        check(of(100), in_use, expected);
    }
    check(of(1), 0, Pressure::Low);
    check(of(1), 1, Pressure::Hard);
    check(of(0), 0, Pressure::Hard);
    check(of(100).soft(10), 10, Pressure::Soft);
    check(of(100).soft(95), 94, Pressure::Low);
    check(of(100).soft(95), 95, Pressure::Hard);
    check(of(100).hard(20), 19, Pressure::Low);
    check(of(100).hard(20), 20, Pressure::Hard);
    check(of(100).soft(0), 0, Pressure::Soft);
    check(of(100).soft(10).hard(20), 15, Pressure::Soft);
    check(of(usize::MAX).hard(usize::MAX), MAX - 1, Pressure::Soft);
    check(of(usize::MAX).hard(usize::MAX), MAX, Pressure::Hard);

    let root = Budget::new(100);
    let leaf = root.child(10);
    let charge = leaf.try_charge(9).unwrap();
    assert_eq!(
        (leaf.pressure(), root.pressure()),
        (Pressure::Hard, Pressure::Low)
    );
    drop(charge);
}

#[test]
fn contradicting_settings_are_errors() {
    #[track_caller]
    fn check(builder: BudgetBuilder, expected: InvalidBudget) {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
    let of = Budget::builder;
    let (soft, hard, limit) = (101, 102, 100);
    check(
        of(100).soft(101),
        InvalidBudget::SoftAboveLimit { soft, limit },
    );
    check(
        of(100).hard(102),
        InvalidBudget::HardAboveLimit { hard, limit },
    );
    check(
        of(100).soft(101).hard(50),
        InvalidBudget::SoftAboveLimit { soft, limit },
    );
    let (soft, hard) = (51, 50);
    check(
        of(100).soft(51).hard(50),
        InvalidBudget::SoftAboveHard { soft, hard },
    );
    assert!(of(100).soft(50).hard(50).build().is_ok());
    assert!(of(100).soft(100).hard(100).build().is_ok());
    assert!(of(0).soft(0).hard(0).build().is_ok());
}

#[test]
fn names_and_figures_are_printed() {
    let root = Budget::builder(100).name("process").build().unwrap();
    let leaf = root.child(10);
    let charge = leaf.try_charge(4).unwrap();
    assert_eq!((root.name(), leaf.name()), (Some("process"), None));
    assert_eq!(leaf.parent().unwrap().limit(), 100);
    assert!(root.parent().is_none());
    assert_eq!(
        leaf.stats().to_string(),
        "budget: 4 of 10 bytes in use, peak 4; 0 waiting, 0 waits, 0 refusals\n\
         process: 4 of 100 bytes in use, peak 4; 0 waiting, 0 waits, 0 refusals",
    );
    assert_eq!(
        format!("{root:?}"),
        r#"Budget { name: Some("process"), in_use: 4, limit: 100, .. }"#
    );
    assert_eq!(
        format!("{charge:?}"),
        "Charge { bytes: 4, budget: Budget { name: None, in_use: 4, limit: 10, .. } }"
    );
    assert!(format!("{:?}", leaf.charge_async(3)).contains("bytes: 3"));
}
