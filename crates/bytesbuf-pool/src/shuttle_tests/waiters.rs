//! Threads and futures that wait for each other's bytes. A wake-up that is lost is a
//! deadlock, which shuttle reports.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::sync::mpsc::channel;

use super::door::{BLOCK, InUse, any_of, assert_conserved, at_once, check, pool_of};
use crate::{GlobalPool, Permit};

/// Some time: it is up whenever chance has it.
const A_WHILE: Duration = Duration::from_secs(1);

fn provide(permit: Permit) -> Vec<InUse> {
    let mut blocks = Vec::new();
    let mut take = |block| blocks.push(InUse::new(block));
    permit.provide(&mut take).expect("memory");
    blocks
}

/// Waits for as long as it takes.
fn wait(pool: &GlobalPool, blocks: usize) -> Vec<InUse> {
    let permit = pool.permit_timeout(blocks * BLOCK, Duration::MAX);
    provide(permit.expect("below the limit"))
}

fn wait_async(pool: &GlobalPool, blocks: usize) -> Vec<InUse> {
    let permit = block_on(pool.permit_async(blocks * BLOCK));
    provide(permit.expect("below the limit"))
}

/// Waits until it is time to give up.
fn wait_a_while(pool: &GlobalPool, blocks: usize) -> Vec<InUse> {
    let permit = pool.permit_timeout(blocks * BLOCK, A_WHILE);
    permit.map(provide).unwrap_or_default()
}

/// Asks once or twice, then leaves the queue, wherever it is in it by then.
fn ask_and_leave(pool: &GlobalPool, blocks: usize) {
    let mut request = pin!(pool.permit_async(blocks * BLOCK));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=any_of(2) {
        if let Poll::Ready(permit) = request.as_mut().poll(&mut context) {
            drop(provide(permit.expect("below the limit")));
            return;
        }
        shuttle::thread::yield_now();
    }
}

fn with<T: Clone + Send + 'static>(it: &T, body: fn(&T)) -> Box<dyn FnOnce() + Send> {
    let it = it.clone();
    Box::new(move || body(&it))
}

#[test]
fn four_threads_block_for_two_blocks() {
    check(|| {
        let pool = pool_of(2);
        let twice = |pool: &GlobalPool| {
            drop(wait(pool, 1));
            drop(wait(pool, 1));
        };
        let large = |pool: &GlobalPool| drop(wait(pool, 2));
        at_once([
            with(&pool, twice),
            with(&pool, large),
            with(&pool, twice),
            with(&pool, large),
        ]);
        assert_conserved(&pool, &[pool.budget().unwrap()]);
    });
}

/// Who gives up lets through who is behind.
#[test]
fn futures_and_threads_wait_while_others_give_up() {
    check(|| {
        let pool = pool_of(2);
        at_once([
            with(&pool, |pool| {
                drop(wait_async(pool, 2));
                ask_and_leave(pool, 2);
            }),
            with(&pool, |pool| {
                ask_and_leave(pool, 2);
                drop(wait(pool, 1));
            }),
            with(&pool, |pool| {
                drop(wait_a_while(pool, 2));
                drop(wait_async(pool, 1));
            }),
            with(&pool, |pool| {
                drop(wait(pool, 1));
                drop(wait_a_while(pool, 1));
            }),
        ]);
        assert_conserved(&pool, &[pool.budget().unwrap()]);
    });
}

/// The room that is too little for two is enough for the third, and no more is made
/// before it has got that.
#[test]
fn who_gives_up_lets_through_who_is_behind() {
    check(|| {
        let pool = pool_of(2);
        let held = pool.budget().unwrap().try_charge(BLOCK).unwrap();
        let (sender, receiver) = channel();
        let third = pool.clone();
        at_once([
            with(&pool, |pool| drop(wait_a_while(pool, 2))),
            with(&pool, |pool| ask_and_leave(pool, 2)),
            Box::new(move || {
                drop(wait(&third, 1));
                sender.send(()).expect("somebody waits");
            }),
            Box::new(move || {
                receiver.recv().expect("it gets through");
                drop(held);
            }),
        ]);
        assert_conserved(&pool, &[pool.budget().unwrap()]);
    });
}

/// Two connections of two blocks each, below a pool that has three.
#[test]
fn waiters_at_two_levels_with_some_that_give_up() {
    check(|| {
        let pool = pool_of(3);
        let root = pool.budget().unwrap().clone();
        let connections = [root.child(2 * BLOCK), root.child(2 * BLOCK)];
        let handles = [&connections[0], &connections[1]].map(|budget| pool.with_budget(budget));
        at_once([
            with(&handles[0], |pool| drop(wait(pool, 2))),
            with(&handles[0], |pool| {
                drop(wait_a_while(pool, 2));
                drop(wait_async(pool, 1));
            }),
            with(&handles[1], |pool| drop(wait_async(pool, 2))),
            with(&handles[1], |pool| {
                ask_and_leave(pool, 2);
                drop(wait(pool, 2));
            }),
        ]);
        drop(handles);
        assert_conserved(&pool, &[&root, &connections[0], &connections[1]]);
    });
}

/// Blocks are released by another thread than the one that waited for them, while
/// a fourth one takes what is free away.
#[test]
fn blocks_change_hands_while_others_wait_and_trim() {
    check(|| {
        let pool = pool_of(1);
        let (sender, receiver) = channel();
        let fill = || {
            let (pool, sender) = (pool.clone(), sender.clone());
            move || {
                for block in wait(&pool, 1) {
                    sender.send(block).expect("somebody receives");
                }
            }
        };
        at_once([
            Box::new(fill()),
            Box::new(fill()),
            // Each of the others sends what there is.
            Box::new(move || {
                for _ in 0..2 {
                    drop(receiver.recv().expect("two are sent"));
                }
            }),
            with(&pool, |pool| {
                pool.trim();
                pool.trim_to(BLOCK);
            }),
        ]);
        drop(sender);
        assert_conserved(&pool, &[pool.budget().unwrap()]);
    });
}
