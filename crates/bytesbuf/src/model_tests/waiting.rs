//! Reservations that wait, while the last view of what they wait for goes on another
//! thread.

use std::boxed::Box;
use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

use super::{model, thread};
use crate::BytesView;
use crate::mem::{Budget, BudgetedMemory, GlobalPool, Memory};

/// A view of all the bytes that a reservation gives.
fn view_of(mut buf: crate::BytesBuf) -> BytesView {
    buf.put_slice(*b"data");
    buf.consume_all()
}

#[track_caller]
fn assert_idle(budget: &Budget) {
    let left = (budget.in_use(), budget.waiting());
    assert_eq!(left, (0, 0), "each byte is credited once, nobody waits");
}

#[test]
fn reserve_here_drop_the_last_view_there() {
    model(|| {
        let pool = GlobalPool::builder().max_bytes(1024).build().unwrap();
        let budget = pool.budget().unwrap().clone();
        let view = view_of(pool.reserve(4));
        let twin = view.clone();
        let other = thread::spawn(move || drop(twin));
        drop(view);
        let again = pool.reserve_timeout(4, Duration::MAX).unwrap();
        assert_eq!(view_of(again), b"data");
        other.join().unwrap();
        assert_idle(&budget);
    });
}

/// The future has the last handle of the pool.
#[test]
fn drop_the_reservation_here_and_the_last_view_there() {
    model(|| {
        let pool = GlobalPool::builder().max_bytes(1024).build().unwrap();
        let budget = pool.budget().unwrap().clone();
        let view = view_of(pool.reserve(4));
        let mut request = Box::pin(pool.reserve_async(4));
        drop(pool);
        let mut context = Context::from_waker(Waker::noop());
        assert!(request.as_mut().poll(&mut context).is_pending());
        let other = thread::spawn(move || drop(view));
        drop(request);
        other.join().unwrap();
        assert_idle(&budget);
    });
}

/// A charge of its own beside the block's: K1, the block is back before who waits for
/// the bytes goes on.
#[test]
fn two_views_of_charged_memory_go_at_once() {
    model(|| {
        let budget = Budget::new(1024);
        let pool = GlobalPool::new();
        let memory = BudgetedMemory::new(pool.clone(), &budget);
        let here = view_of(memory.reserve(4));
        let there = here.clone();
        let other = thread::spawn(move || drop(there));
        drop(here);
        let again = memory.reserve_timeout(4, Duration::MAX).unwrap();
        assert_eq!(view_of(again), b"data");
        other.join().unwrap();
        assert_idle(&budget);
        let stats = pool.stats();
        let most = stats.classes().map(|class| class.high_water()).max();
        // With caches of threads, the block may be in the other thread's.
        assert!(
            most == Some(1) || !cfg!(bytesbuf_loom),
            "it found the block"
        );
    });
}
