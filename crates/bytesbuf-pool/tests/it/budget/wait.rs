//! Waiting in turn, and giving up, on one thread.

use std::time::Duration;

use super::*;

#[test]
fn eight_waiters_are_served_first_come_first_served() {
    let budget = Budget::new(8);
    let mut held: Vec<_> = (0..8).map(|_| budget.try_charge(1).unwrap()).collect();
    let mut waiters: Vec<_> = (1..=8)
        .map(|n| {
            let (woken, waker) = Woken::new();
            let mut request = budget.charge_async(if n % 3 == 0 { 2 } else { 1 });
            poll_pending(&mut request, &waker);
            assert_eq!(budget.waiting(), n);
            (request, woken, waker)
        })
        .collect();
    assert_eq!(budget.stats().waits, 8);
    // They need 1, 1, 2, 1, 1, 2, 1, 1.
    for (credit, expected) in (1..).zip([1, 2, 2, 3, 4, 5, 5, 6]) {
        drop(held.pop());
        let woken: Vec<_> = waiters.iter().map(|(_, woken, _)| woken.count()).collect();
        let (granted, others) = woken.split_at(expected);
        assert!(
            granted.iter().all(|&count| count == 1),
            "{credit}: {woken:?}"
        );
        assert!(
            others.iter().all(|&count| count == 0),
            "{credit}: {woken:?}"
        );
    }
    let charges: Vec<_> = waiters
        .iter_mut()
        .take(6)
        .map(|(request, ..)| poll_ready(request))
        .collect();
    assert_eq!((budget.waiting(), budget.in_use()), (2, 8));
    drop(charges);
    for (request, woken, _) in &mut waiters[6..] {
        assert_eq!(woken.count(), 1);
        drop(poll_ready(request));
    }
    assert_eq!((budget.waiting(), budget.in_use()), (0, 0));
}

#[test]
fn a_large_request_is_not_starved_by_small_ones() {
    let budget = Budget::new(100);
    let mut held: Vec<_> = (0..10).map(|_| budget.try_charge(10).unwrap()).collect();
    let (woken, waker) = Woken::new();
    let mut large = budget.charge_async(60);
    poll_pending(&mut large, &waker);
    for n in 1..=6 {
        assert_eq!(woken.count(), 0);
        drop(held.pop());
        // All but the last find room that is kept for the large one.
        check_refused(budget.try_charge(1), (1, 100, 100));
        assert_eq!(budget.available(), 0);
        assert_eq!(budget.in_use(), if n < 6 { 100 - 10 * n } else { 100 });
    }
    assert_eq!(woken.count(), 1);
    drop(held.pop());
    let small = budget.try_charge(1).unwrap();
    assert_eq!(poll_ready(&mut large).bytes(), 60);
    drop(small);
}

#[test]
fn somebody_who_waits_is_hard_pressure() {
    let budget = Budget::new(100);
    let child = budget.child(100);
    let some = budget.try_charge(50).unwrap();
    let mut request = budget.charge_async(60);
    assert_eq!(child.pressure(), Pressure::Low, "not polled, does not wait");
    poll_pending(&mut request, Waker::noop());
    assert_eq!(child.pressure(), Pressure::Hard);
    drop(request);
    assert_eq!(child.pressure(), Pressure::Low);
    drop(some);
}

#[test]
fn what_exceeds_a_limit_is_never_queued() {
    let root = Budget::new(100);
    let leaf = root.child(1000);
    let charge = root.try_charge(100).unwrap();
    for requested in [101, 1000, usize::MAX] {
        let expected = if requested > 1000 {
            (requested, 0, 1000)
        } else {
            (requested, 100, 100)
        };
        let Poll::Ready(outcome) = poll(&mut leaf.charge_async(requested), Waker::noop()) else {
            panic!("queued")
        };
        check_refused(outcome, expected);
        check_refused(leaf.charge_timeout(requested, Duration::MAX), expected);
        check_refused(
            leaf.try_charge(requested),
            (requested, expected.1, expected.2),
        );
    }
    assert_eq!((leaf.stats().waits, root.stats().waits), (0, 0));
    drop(charge);
    assert_eq!((leaf.in_use(), root.in_use()), (0, 0));
}

#[test]
fn a_request_can_be_dropped_at_every_stage() {
    let root = Budget::new(10);
    let leaf = root.child(10);
    let idle = |what| {
        assert_eq!(
            (leaf.in_use(), root.in_use(), root.waiting()),
            (0, 0, 0),
            "{what}"
        );
    };

    drop(leaf.charge_async(10));
    idle("never polled");

    let mut request = leaf.charge_async(10);
    drop(poll_ready(&mut request));
    drop(request);
    idle("finished");

    let charge = leaf.try_charge(10).unwrap();
    let mut request = leaf.charge_async(10);
    poll_pending(&mut request, Waker::noop());
    assert_eq!((leaf.waiting(), root.waiting()), (1, 0));
    drop(request);
    assert_eq!((leaf.waiting(), leaf.in_use(), root.in_use()), (0, 10, 10));
    drop(charge);
    idle("waited at the leaf");

    let charge = leaf.try_charge(10).unwrap();
    let mut request = leaf.charge_async(10);
    poll_pending(&mut request, Waker::noop());
    drop(charge);
    assert_eq!(
        (leaf.in_use(), root.in_use()),
        (10, 0),
        "granted at the leaf"
    );
    drop(request);
    idle("granted at the leaf");

    let charge = root.try_charge(10).unwrap();
    let mut request = leaf.charge_async(4);
    poll_pending(&mut request, Waker::noop());
    assert_eq!((leaf.in_use(), root.waiting()), (4, 1), "holds the leaf");
    drop(request);
    assert_eq!((leaf.in_use(), root.in_use(), root.waiting()), (0, 10, 0));
    drop(charge);
    idle("waited at the root");

    let charge = root.try_charge(10).unwrap();
    let mut request = leaf.charge_async(4);
    poll_pending(&mut request, Waker::noop());
    drop(charge);
    assert_eq!((leaf.in_use(), root.in_use()), (4, 4));
    drop(request);
    idle("granted at the root");
}

#[test]
fn who_leaves_lets_the_next_through() {
    let budget = Budget::new(10);
    let some = budget.try_charge(5).unwrap();
    let (woken, waker) = Woken::new();
    let mut large = budget.charge_async(6);
    let mut small = [budget.charge_async(2), budget.charge_async(3)];
    poll_pending(&mut large, Waker::noop());
    for request in &mut small {
        poll_pending(request, &waker);
    }
    drop(large);
    assert_eq!(woken.count(), 2);
    assert_eq!((budget.in_use(), budget.waiting()), (10, 0));
    let charges = small.each_mut().map(poll_ready);
    drop((charges, some));
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_grant_that_is_not_taken_goes_to_the_next() {
    let budget = Budget::new(10);
    let all = budget.try_charge(10).unwrap();
    let (woken, waker) = Woken::new();
    let (mut first, mut second) = (budget.charge_async(10), budget.charge_async(10));
    poll_pending(&mut first, Waker::noop());
    poll_pending(&mut second, &waker);
    drop(all);
    assert_eq!(
        (woken.count(), budget.in_use()),
        (0, 10),
        "the first is granted"
    );
    drop(first);
    assert_eq!(
        (woken.count(), budget.in_use()),
        (1, 10),
        "now the second is"
    );
    drop(poll_ready(&mut second));
    assert_eq!(budget.in_use(), 0);
}

/// One credit grants many more than are woken in one go.
#[test]
fn one_credit_serves_a_long_queue() {
    let count = if cfg!(miri) { 5 } else { 1000 };
    let budget = Budget::new(count);
    let all = budget.try_charge(count).unwrap();
    let (woken, waker) = Woken::new();
    let mut requests: Vec<_> = (0..count).map(|_| budget.charge_async(1)).collect();
    for request in &mut requests {
        poll_pending(request, &waker);
    }
    drop(all);
    assert_eq!(
        (woken.count(), budget.waiting(), budget.in_use()),
        (count, 0, count)
    );
    let charges: Vec<_> = requests.iter_mut().map(poll_ready).collect();
    assert_eq!(budget.in_use(), count);
    drop(charges);
    assert_eq!(budget.in_use(), 0);
}

/// One that leaves lets many more through than are woken in one go.
#[test]
fn who_leaves_lets_a_long_queue_through() {
    let count = if cfg!(miri) { 5 } else { 1000 };
    let budget = Budget::new(count + 1);
    let one = budget.try_charge(1).unwrap();
    let (woken, waker) = Woken::new();
    let mut large = budget.charge_async(count + 1);
    poll_pending(&mut large, Waker::noop());
    let mut requests: Vec<_> = (0..count).map(|_| budget.charge_async(1)).collect();
    for request in &mut requests {
        poll_pending(request, &waker);
    }
    drop(large);
    assert_eq!((woken.count(), budget.waiting()), (count, 0));
    drop((requests, one));
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn levels_are_entered_from_the_leaf_up() {
    let root = Budget::new(10);
    let leaf = root.child(10);
    let (at_root, at_leaf) = (root.try_charge(5).unwrap(), leaf.try_charge(5).unwrap());
    let (woken, waker) = Woken::new();
    let mut request = leaf.charge_async(6);
    poll_pending(&mut request, &waker);
    assert_eq!((leaf.waiting(), root.waiting()), (1, 0));
    drop(at_leaf);
    assert_eq!(woken.count(), 1);
    poll_pending(&mut request, &waker);
    assert_eq!((leaf.waiting(), root.waiting()), (0, 1));
    assert_eq!((leaf.in_use(), root.in_use()), (6, 5), "holds the leaf");
    drop(at_root);
    assert_eq!(woken.count(), 2);
    drop(poll_ready(&mut request));
    assert_eq!((leaf.in_use(), root.in_use()), (0, 0));
    assert_eq!((leaf.stats().waits, root.stats().waits), (1, 1));
}

#[test]
fn time_that_is_up_gives_everything_back() {
    let root = Budget::new(10);
    let leaf = root.child(10);
    let charge = root.try_charge(7).unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        check_refused(leaf.charge_timeout(4, timeout), (4, 7, 10));
        assert_eq!((leaf.in_use(), root.in_use(), root.waiting()), (0, 7, 0));
    }
    assert_eq!((root.stats().waits, root.stats().refusals), (2, 2));
    assert_eq!(leaf.charge_timeout(3, Duration::ZERO).unwrap().bytes(), 3);
    drop(charge);
    assert_eq!(leaf.charge_timeout(4, Duration::MAX).unwrap().bytes(), 4);
}

#[test]
#[should_panic(expected = "polled after it has finished")]
fn polling_a_finished_request_panics() {
    let mut request = Budget::new(1).charge_async(1);
    let _charge = poll_ready(&mut request);
    let _ = poll(&mut request, Waker::noop());
}

#[test]
fn a_refused_request_has_finished_and_can_be_dropped() {
    let budget = Budget::new(1);
    let mut request = budget.charge_async(2);
    assert!(matches!(
        poll(&mut request, Waker::noop()),
        Poll::Ready(Err(_))
    ));
    drop(request);
    assert_eq!(budget.in_use(), 0);
}
