//! Threads that charge, credit, wait and give up.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Plain;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::door::{model, thread};
use crate::sync::{AtomicUsize, Ordering};
use crate::{Budget, Charge, ChargeFuture};

/// Counts wakes. Not through the door: loom need not branch on it.
struct Woken(Plain);

impl Woken {
    fn new() -> (Arc<Self>, Waker) {
        let woken = Arc::new(Self(Plain::new(0)));
        (Arc::clone(&woken), Waker::from(woken))
    }

    fn count(&self) -> usize {
        // SeqCst: partner of the addition in `wake`. Not a model's: loom does not see it.
        self.0.load(SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        // SeqCst: partner of the load in `count`.
        self.0.fetch_add(1, SeqCst);
    }
}

fn poll(request: &mut ChargeFuture, waker: &Waker) -> Option<Charge> {
    match Pin::new(request).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(charge) => Some(charge.expect("not larger than a limit")),
        Poll::Pending => None,
    }
}

/// Polls a request as a runtime would, with nobody else about.
#[track_caller]
fn finish(request: &mut ChargeFuture, woken: &Woken, waker: &Waker) -> Charge {
    let mut seen = 0;
    loop {
        assert!(
            woken.count() > seen,
            "who can be granted is woken after the last poll that was pending"
        );
        seen = woken.count();
        if let Some(charge) = poll(request, waker) {
            return charge;
        }
    }
}

/// Asserts conservation on a budget that nobody uses at the moment.
#[track_caller]
fn assert_idle(budget: &Budget) {
    assert_eq!(
        (budget.in_use(), budget.waiting()),
        (0, 0),
        "each byte is credited once"
    );
    assert!(
        budget.try_charge(budget.limit()).is_ok(),
        "with nobody waiting, there is room for everything"
    );
}

/// A load and a store, as of data without atomics: loses an increment if two
/// threads overlap or do not see each other.
fn increment(data: &AtomicUsize) {
    // Relaxed: partner of the store below, by the other thread; ordered by the budget, which
    // is what is tested.
    let value = data.load(Ordering::Relaxed);
    // Relaxed: partner of the loads above and in `read`; as above.
    data.store(value + 1, Ordering::Relaxed);
}

fn read(data: &AtomicUsize) -> usize {
    // Relaxed: partner of the store in `increment`; as there.
    data.load(Ordering::Relaxed)
}

#[test]
fn charges_of_two_threads_stay_below_the_limit() {
    model(|| {
        let budget = Budget::new(3);
        let held = Arc::new(Plain::new(0));
        let charge_and_credit = |budget: &Budget, held: &Plain| {
            if let Ok(charge) = budget.try_charge(2) {
                // SeqCst: partner of itself and of the subtraction below, by the other
                // thread.
                assert!(held.fetch_add(2, SeqCst) + 2 <= 3, "Q1: above the limit");
                assert!(budget.in_use() <= 3, "Q1: above the limit");
                // SeqCst: partner of the addition above, by the other thread.
                held.fetch_sub(2, SeqCst);
                drop(charge);
            }
        };
        let other = {
            let (budget, held) = (budget.clone(), Arc::clone(&held));
            thread::spawn(move || charge_and_credit(&budget, &held))
        };
        charge_and_credit(&budget, &held);
        other.join().unwrap();
        assert_idle(&budget);
    });
}

/// Both want everything there is: they exclude each other, and whoever is second
/// sees what the first has done.
#[test]
fn a_charge_happens_after_the_credit_that_made_room() {
    model(|| {
        let budget = Budget::new(1);
        let data = Arc::new(AtomicUsize::new(0));
        let try_once = |budget: &Budget, data: &AtomicUsize| {
            let charge = budget.try_charge(1);
            if charge.is_ok() {
                increment(data);
            }
            usize::from(charge.is_ok())
        };
        let other = {
            let (budget, data) = (budget.clone(), Arc::clone(&data));
            thread::spawn(move || try_once(&budget, &data))
        };
        let here = try_once(&budget, &data);
        let there = other.join().unwrap();
        assert_eq!(read(&data), here + there, "nothing is overwritten unseen");
        assert_idle(&budget);
    });
}

#[test]
fn two_threads_block_for_the_same_room() {
    model(|| {
        let budget = Budget::new(1);
        let data = Arc::new(AtomicUsize::new(0));
        let wait = |budget: &Budget, data: &AtomicUsize| {
            let charge = budget.charge_timeout(1, Duration::MAX).unwrap();
            increment(data);
            drop(charge);
        };
        let other = {
            let (budget, data) = (budget.clone(), Arc::clone(&data));
            thread::spawn(move || wait(&budget, &data))
        };
        wait(&budget, &data);
        other.join().unwrap();
        assert_eq!(read(&data), 2, "the second sees what the first has done");
        assert_idle(&budget);
    });
}

#[test]
fn block_here_credit_there() {
    model(|| {
        let budget = Budget::new(2);
        let (one, two) = (budget.try_charge(1).unwrap(), budget.try_charge(1).unwrap());
        let other = thread::spawn(move || {
            drop(one);
            drop(two);
        });
        drop(budget.charge_timeout(2, Duration::MAX).unwrap());
        other.join().unwrap();
        assert_idle(&budget);
    });
}

/// The request joins the queue before, while or after room is made.
#[test]
fn poll_here_credit_there() {
    model(|| {
        let budget = Budget::new(1);
        let charge = budget.try_charge(1).unwrap();
        let data = Arc::new(AtomicUsize::new(0));
        let other = {
            let data = Arc::clone(&data);
            thread::spawn(move || {
                increment(&data);
                drop(charge);
            })
        };
        let (woken, waker) = Woken::new();
        let mut request = budget.charge_async(1);
        let charge = poll(&mut request, &waker);
        if charge.is_some() {
            assert_eq!(read(&data), 1, "granted after the credit");
        }
        other.join().unwrap();
        drop(charge.unwrap_or_else(|| finish(&mut request, &woken, &waker)));
        assert_idle(&budget);
    });
}

/// Two credits make room for one request; whichever of them grants it, it sees
/// what was done before both.
#[test]
fn a_grant_happens_after_every_credit_in_it() {
    model(|| {
        let budget = Budget::new(2);
        let (one, two) = (budget.try_charge(1).unwrap(), budget.try_charge(1).unwrap());
        let data = Arc::new(AtomicUsize::new(0));
        let (_, waker) = Woken::new();
        let mut request = budget.charge_async(2);
        assert!(poll(&mut request, &waker).is_none());
        let other = {
            let data = Arc::clone(&data);
            thread::spawn(move || {
                increment(&data);
                drop(one);
            })
        };
        drop(two);
        let charge = poll(&mut request, &waker);
        if charge.is_some() {
            assert_eq!(read(&data), 1, "granted after both credits");
        }
        other.join().unwrap();
        drop((request, charge));
        assert_idle(&budget);
    });
}

/// The waker that the last poll brought is the one that is woken.
#[test]
fn change_the_waker_here_credit_there() {
    model(|| {
        let budget = Budget::new(1);
        let charge = budget.try_charge(1).unwrap();
        let (_, first) = Woken::new();
        let (woken, second) = Woken::new();
        let mut request = budget.charge_async(1);
        assert!(poll(&mut request, &first).is_none());
        let other = thread::spawn(move || drop(charge));
        let charge = poll(&mut request, &second);
        other.join().unwrap();
        drop(charge.unwrap_or_else(|| finish(&mut request, &woken, &second)));
        assert_idle(&budget);
    });
}

/// The first in the queue leaves while it is granted: the second gets the bytes.
#[test]
fn cancel_here_credit_there() {
    model(|| {
        let budget = Budget::new(1);
        let charge = budget.try_charge(1).unwrap();
        let (woken, waker) = Woken::new();
        let mut first = budget.charge_async(1);
        let mut second = budget.charge_async(1);
        assert!(poll(&mut first, Waker::noop()).is_none());
        assert!(poll(&mut second, &waker).is_none());
        let other = thread::spawn(move || drop(charge));
        drop(first);
        other.join().unwrap();
        drop(finish(&mut second, &woken, &waker));
        assert_idle(&budget);
    });
}

/// The first needs more than the second: once it has left, the room that was too
/// little for it is enough.
#[test]
fn cancel_a_large_request_here_credit_there() {
    model(|| {
        let budget = Budget::new(2);
        let (one, two) = (budget.try_charge(1).unwrap(), budget.try_charge(1).unwrap());
        let (woken, waker) = Woken::new();
        let mut first = budget.charge_async(2);
        let mut second = budget.charge_async(1);
        assert!(poll(&mut first, Waker::noop()).is_none());
        assert!(poll(&mut second, &waker).is_none());
        let other = thread::spawn(move || drop(one));
        drop(first);
        other.join().unwrap();
        drop(finish(&mut second, &woken, &waker));
        drop(two);
        assert_idle(&budget);
    });
}

/// More are granted by one credit than are woken in one go.
#[test]
fn one_credit_there_for_two_requests_here() {
    model(|| {
        let budget = Budget::new(2);
        let charge = budget.try_charge(2).unwrap();
        let ((woken, waker), (also, other_waker)) = (Woken::new(), Woken::new());
        let mut first = budget.charge_async(1);
        let mut second = budget.charge_async(1);
        assert!(poll(&mut first, &waker).is_none());
        let other = thread::spawn(move || drop(charge));
        let charge = poll(&mut second, &other_waker);
        other.join().unwrap();
        drop(charge.unwrap_or_else(|| finish(&mut second, &also, &other_waker)));
        drop(finish(&mut first, &woken, &waker));
        assert_idle(&budget);
    });
}

/// One leaves, and lets more through than are woken in one go.
#[test]
fn cancel_here_for_two_requests_credit_there() {
    model(|| {
        let budget = Budget::new(3);
        let (one, two) = (budget.try_charge(1).unwrap(), budget.try_charge(2).unwrap());
        let (woken, waker) = Woken::new();
        let mut large = budget.charge_async(3);
        let mut small = [budget.charge_async(1), budget.charge_async(1)];
        assert!(poll(&mut large, Waker::noop()).is_none());
        assert!(poll(&mut small[0], Waker::noop()).is_none());
        assert!(poll(&mut small[1], &waker).is_none());
        let other = thread::spawn(move || drop(two));
        drop(large);
        other.join().unwrap();
        drop(finish(&mut small[1], &woken, &waker));
        drop((small, one));
        assert_idle(&budget);
    });
}

/// A request joins while the queue runs empty: it does not find a bit that is about
/// to be cleared.
#[test]
fn join_here_while_the_queue_runs_empty_there() {
    model(|| {
        let budget = Budget::new(1);
        let charge = budget.try_charge(1).unwrap();
        let ((woken, waker), (also, other_waker)) = (Woken::new(), Woken::new());
        let mut first = budget.charge_async(1);
        let mut second = budget.charge_async(1);
        assert!(poll(&mut first, &waker).is_none());
        let other = thread::spawn(move || drop(charge));
        assert!(
            poll(&mut second, &other_waker).is_none(),
            "the first is first"
        );
        other.join().unwrap();
        drop(finish(&mut first, &woken, &waker));
        drop(finish(&mut second, &also, &other_waker));
        assert_idle(&budget);
    });
}

/// What is charged below and refused above goes to who waits below.
#[test]
fn roll_back_there_wait_here() {
    model(|| {
        let root = Budget::new(1);
        let leaf = root.child(1);
        let other = {
            let leaf = leaf.clone();
            thread::spawn(move || drop(leaf.try_charge(1)))
        };
        let above = root.try_charge(1);
        let (woken, waker) = Woken::new();
        let mut request = leaf.charge_async(1);
        let charge = poll(&mut request, &waker);
        drop(above);
        other.join().unwrap();
        drop(charge.unwrap_or_else(|| finish(&mut request, &woken, &waker)));
        assert_idle(&leaf);
        assert_idle(&root);
    });
}

#[test]
fn two_levels_block_at_the_root() {
    model(|| {
        let root = Budget::new(1);
        let (leaf, sibling) = (root.child(1), root.child(1));
        let charge = sibling.try_charge(1).unwrap();
        let other = thread::spawn(move || {
            drop(leaf.charge_timeout(1, Duration::MAX).unwrap());
            assert_idle(&leaf);
        });
        drop(charge);
        other.join().unwrap();
        assert_idle(&sibling);
        assert_idle(&root);
    });
}

/// A request that waits at the root, and holds its leaf, leaves while it is
/// granted. The one behind it at the leaf goes on.
#[test]
fn cancel_at_the_root_here_credit_there() {
    model(|| {
        let root = Budget::new(1);
        let (leaf, sibling) = (root.child(1), root.child(1));
        let charge = sibling.try_charge(1).unwrap();
        let (woken, waker) = Woken::new();
        let mut first = leaf.charge_async(1);
        let mut second = leaf.charge_async(1);
        assert!(poll(&mut first, Waker::noop()).is_none());
        assert!(poll(&mut second, &waker).is_none());
        assert_eq!((leaf.waiting(), root.waiting()), (1, 1));
        let other = thread::spawn(move || drop(charge));
        drop(first);
        other.join().unwrap();
        drop(finish(&mut second, &woken, &waker));
        assert_idle(&leaf);
        assert_idle(&root);
    });
}

/// The budget goes with whoever is last; a leak stops the engine.
#[test]
fn last_handle_here_last_charge_there() {
    model(|| {
        let root = Budget::new(1);
        let leaf = root.child(1);
        drop(root);
        let charge = leaf.try_charge(1).unwrap();
        let other = thread::spawn(move || drop(charge));
        drop(leaf);
        other.join().unwrap();
    });
}

/// The request keeps its budget too.
#[test]
fn last_handle_there_cancel_here() {
    model(|| {
        let root = Budget::new(1);
        let leaf = root.child(1);
        let charge = root.try_charge(1).unwrap();
        let mut request = leaf.charge_async(1);
        assert!(poll(&mut request, Waker::noop()).is_none());
        let other = thread::spawn(move || {
            drop(leaf);
            drop(root);
            drop(charge);
        });
        drop(request);
        other.join().unwrap();
    });
}
