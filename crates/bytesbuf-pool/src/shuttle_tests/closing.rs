//! The last handle goes while blocks, caches and waiters are about. Afterwards all
//! memory has been freed.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::door::{BLOCK, InUse, Shelf, at_once, check, pool_of};
use crate::GlobalPool;

fn rent(pool: &GlobalPool) -> Option<InUse> {
    pool.rent(BLOCK).ok().map(InUse::new)
}

/// Each thread has a handle; who is last closes the pool, and the others' caches
/// retire.
#[test]
fn handles_go_while_blocks_travel_and_threads_end() {
    check(|| {
        let pool = pool_of(3);
        let shelf = Shelf::default();
        let user = |pool: GlobalPool, shelf: Shelf| {
            move || {
                if let Some(block) = rent(&pool) {
                    shelf.put(block);
                }
                let block = rent(&pool);
                drop(pool);
                drop(shelf.take());
                drop(block);
            }
        };
        let trimmer = pool.clone();
        let last = shelf.clone();
        at_once([
            Box::new(user(pool.clone(), shelf.clone())),
            Box::new(user(pool.clone(), shelf.clone())),
            Box::new(user(pool, shelf)),
            Box::new(move || {
                trimmer.trim_to(BLOCK);
                drop(trimmer);
                while last.take().is_some() {}
            }),
        ]);
    });
}

/// A request owns the pool that it waits for: the last handle may be one's own.
#[test]
fn the_pool_goes_with_who_gives_up_waiting() {
    check(|| {
        let pool = pool_of(1);
        let holder = pool.clone();
        let asks = pool.clone();
        let waits = pool.clone();
        at_once([
            Box::new(move || {
                let block = rent(&holder);
                drop(holder);
                drop(block);
            }),
            Box::new(move || {
                let mut request = pin!(asks.permit_async(BLOCK));
                drop(asks);
                let mut context = Context::from_waker(Waker::noop());
                if let Poll::Ready(permit) = request.as_mut().poll(&mut context) {
                    let mut take = |block| drop(InUse::new(block));
                    permit.unwrap().provide(&mut take).unwrap();
                }
            }),
            Box::new(move || {
                let permit = waits.permit_timeout(BLOCK, Duration::from_secs(1));
                drop(waits);
                drop(permit);
            }),
            Box::new(move || {
                pool.trim();
                drop(pool);
            }),
        ]);
    });
}

/// Threads that go on with another pool dispose of their caches of the one that was
/// closed.
#[test]
fn one_pool_is_closed_while_all_go_on_with_another() {
    check(|| {
        let other = pool_of(8);
        let pool = pool_of(8);
        let user = |pool: GlobalPool, other: GlobalPool| {
            move || {
                drop(rent(&pool));
                drop(pool);
                let blocks = [rent(&other), rent(&other)];
                drop(blocks);
            }
        };
        at_once([
            Box::new(user(pool.clone(), other.clone())),
            Box::new(user(pool.clone(), other.clone())),
            Box::new(user(pool, other.clone())),
            Box::new(move || {
                drop(rent(&other));
                other.trim();
            }),
        ]);
    });
}
