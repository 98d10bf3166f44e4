//! Several threads on one budget.

use std::thread;
use std::time::Duration;

use super::*;
use crate::util::rounds;

/// Eight connections of two listeners, each of them wanting more than its share.
#[test]
fn exhaustion_and_recovery_with_eight_threads() {
    let process = Budget::new(1000);
    let listeners = [process.child(700), process.child(700)];
    let held = AtomicUsize::new(0);
    thread::scope(|scope| {
        for n in 0..8 {
            let connection = listeners[n % 2].child(400);
            let held = &held;
            scope.spawn(move || {
                for round in 0..rounds(2000) {
                    let bytes = 1 + (n * 97 + round * 31) % 400;
                    let mut charge = connection.charge_timeout(bytes, Duration::MAX).unwrap();
                    // SeqCst: partner of itself and of the subtraction below, by other threads.
                    let now = held.fetch_add(bytes, Ordering::SeqCst) + bytes;
                    assert!(now <= 1000, "{now} of 1000 bytes");
                    let part = charge.split(bytes / 2);
                    // SeqCst: partner of the addition above, by other threads.
                    held.fetch_sub(bytes, Ordering::SeqCst);
                    drop((part, charge));
                }
                assert_eq!((connection.in_use(), connection.waiting()), (0, 0));
            });
        }
    });
    for budget in listeners.iter().chain([&process]) {
        assert_eq!(
            (budget.in_use(), budget.waiting()),
            (0, 0),
            "{}",
            budget.stats()
        );
        assert!(budget.peak() <= budget.limit());
    }
    drop(process.try_charge(1000).unwrap());
}

/// Requests whose time is up at any moment, also that of their grant.
#[test]
fn time_is_up_while_others_credit() {
    let budget = Budget::new(3);
    thread::scope(|scope| {
        for n in 0..4 {
            let budget = &budget;
            scope.spawn(move || {
                for round in 0..rounds(2000) {
                    let timeout = Duration::from_micros((n * 7 + round as u64) % 40);
                    if let Ok(charge) = budget.charge_timeout(1 + n as usize % 3, timeout) {
                        thread::yield_now();
                        drop(charge);
                    }
                }
            });
        }
    });
    assert_eq!(
        (budget.in_use(), budget.waiting()),
        (0, 0),
        "{}",
        budget.stats()
    );
}

#[test]
fn a_charge_is_dropped_on_another_thread() {
    let budget = Budget::new(10);
    let charge = budget.try_charge(10).unwrap();
    let other = thread::spawn(move || drop(charge));
    drop(budget.charge_timeout(10, Duration::MAX).unwrap());
    other.join().unwrap();
    assert_eq!(budget.in_use(), 0);
}
