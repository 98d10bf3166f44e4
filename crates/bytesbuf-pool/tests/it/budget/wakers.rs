//! Wakers that do what they like in `clone`, `wake` and `drop`.

use std::sync::{Mutex, Weak};

use super::*;

/// Runs something of a budget at each wake and at its end.
struct Reentrant {
    budget: Budget,
    kept: Mutex<Vec<Charge>>,
    on_wake: fn(&Self),
}

impl Reentrant {
    fn waker(budget: &Budget, on_wake: fn(&Self)) -> (Weak<Self>, Waker) {
        let this = Arc::new(Self {
            budget: budget.clone(),
            kept: Mutex::default(),
            on_wake,
        });
        (Arc::downgrade(&this), Waker::from(this))
    }

    fn use_everything(&self) {
        // Each of these takes the lock if somebody waits.
        let _ = self.budget.stats().to_string();
        let _ = self.budget.waiting();
        drop(self.budget.try_charge(1));
        let mut request = self.budget.charge_async(1);
        let _ = poll(&mut request, Waker::noop());
    }
}

impl Wake for Reentrant {
    fn wake(self: Arc<Self>) {
        (self.on_wake)(&self);
    }
}

impl Drop for Reentrant {
    fn drop(&mut self) {
        self.use_everything();
    }
}

#[test]
fn a_wake_may_use_the_budget() {
    let budget = Budget::new(4);
    let mut held: Vec<_> = (0..4).map(|_| budget.try_charge(1).unwrap()).collect();
    let mut requests: Vec<_> = (0..4).map(|_| budget.charge_async(1)).collect();
    let mut wakers = Vec::new();
    for request in &mut requests {
        let (weak, waker) = Reentrant::waker(&budget, Reentrant::use_everything);
        poll_pending(request, &waker);
        wakers.push(weak);
    }
    for n in 0..4 {
        drop(held.pop());
        assert_eq!(budget.waiting(), 3 - n);
    }
    assert!(
        wakers.iter().all(|waker| waker.strong_count() == 0),
        "woken and dropped"
    );
    for request in &mut requests {
        drop(poll_ready(request));
    }
    assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
}

/// The wake credits what the next one waits for, and so on: recursion without a
/// lock held.
#[test]
fn a_wake_may_credit() {
    let budget = Budget::new(3);
    let mut held: Vec<_> = (0..3).map(|_| budget.try_charge(1).unwrap()).collect();
    let mut requests = Vec::new();
    let (woken, last) = Woken::new();
    for _ in 0..2 {
        let mut request = budget.charge_async(1);
        let (weak, waker) = Reentrant::waker(&budget, |this| {
            let kept = std::mem::take(&mut *this.kept.lock().unwrap());
            drop(kept);
        });
        let kept = held.pop().unwrap();
        weak.upgrade().unwrap().kept.lock().unwrap().push(kept);
        poll_pending(&mut request, &waker);
        requests.push(request);
    }
    let mut request = budget.charge_async(1);
    poll_pending(&mut request, &last);
    requests.push(request);
    drop(held);
    assert_eq!(
        (woken.count(), budget.waiting(), budget.in_use()),
        (1, 0, 3)
    );
    drop(requests);
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_waker_may_use_the_budget_when_it_is_dropped() {
    let budget = Budget::new(2);
    let all = budget.try_charge(2).unwrap();
    let mut request = budget.charge_async(2);
    let (first, waker) = Reentrant::waker(&budget, |_| {});
    poll_pending(&mut request, &waker);
    drop(waker);
    assert_eq!(first.strong_count(), 1);
    // Replaced: the first one goes, and enters the queue and leaves it as it does.
    let (second, waker) = Reentrant::waker(&budget, |_| {});
    poll_pending(&mut request, &waker);
    drop(waker);
    assert_eq!((first.strong_count(), second.strong_count()), (0, 1));
    // Cancelled: so does the second.
    drop(request);
    assert_eq!(second.strong_count(), 0);
    assert_eq!((budget.waiting(), budget.in_use()), (0, 2));
    drop(all);
}

#[test]
fn only_the_waker_of_the_last_poll_is_woken() {
    let budget = Budget::new(1);
    let all = budget.try_charge(1).unwrap();
    let mut request = budget.charge_async(1);
    let ((first, a), (second, b)) = (Woken::new(), Woken::new());
    poll_pending(&mut request, &a);
    poll_pending(&mut request, &b);
    drop(all);
    assert_eq!((first.count(), second.count()), (0, 1));
    drop(poll_ready(&mut request));
}

/// Whoever credits is not told, and the others are woken.
#[test]
fn a_wake_that_panics_stops_nobody() {
    let budget = Budget::new(3);
    let all = budget.try_charge(3).unwrap();
    let (woken, waker) = Woken::new();
    let (_, panics) = Reentrant::waker(&budget, |_| panic!("a waker that panics (expected)"));
    let mut requests: Vec<_> = (0..3).map(|_| budget.charge_async(1)).collect();
    poll_pending(&mut requests[0], &panics);
    poll_pending(&mut requests[1], &waker);
    poll_pending(&mut requests[2], &waker);
    drop(all);
    assert_eq!(woken.count(), 2);
    for request in &mut requests {
        drop(poll_ready(request));
    }
    assert_eq!(budget.in_use(), 0);
}
