//! Which free blocks are in the depot, and which ones threads have at hand. (Loom and
//! miri have a depot that is too small for these numbers.)
#![cfg(not(any(bytesbuf_loom, bytesbuf_pass_through, miri)))]

use std::thread;

use bytesbuf_core::Block;
use bytesbuf_pool::{ClassStats, GlobalPool};

const SIZE: usize = 1024;
/// More than a thread keeps in its two magazines.
const BLOCKS: usize = 1000;

fn figures(pool: &GlobalPool) -> ClassStats {
    let stats = pool.stats();
    let class = stats
        .classes()
        .find(|class| class.block_size().get() as usize == SIZE);
    class.expect("a default class")
}

fn rent(pool: &GlobalPool, blocks: usize) -> Vec<Block> {
    (0..blocks).map(|_| pool.rent(SIZE).unwrap()).collect()
}

/// Asserts that `cached` blocks are free, and returns how many of them the depot has.
#[track_caller]
fn in_depot(pool: &GlobalPool, cached: usize) -> usize {
    let figures = figures(pool);
    let depot = figures.blocks_cached_in_depot();
    assert_eq!(figures.blocks_cached(), cached);
    assert_eq!(depot + figures.blocks_cached_by_threads(), cached);
    depot
}

#[test]
fn what_goes_through_the_depot_is_counted_in_and_out() {
    let pool = GlobalPool::new();
    assert_eq!(in_depot(&pool, 0), 0);
    for _ in 0..3 {
        drop(rent(&pool, BLOCKS));
        let before = in_depot(&pool, BLOCKS);
        assert!(before > BLOCKS / 2 && before < BLOCKS, "{before}");
        let all = rent(&pool, BLOCKS);
        assert_eq!(in_depot(&pool, 0), 0, "all are rented");
        drop(all);
        assert_eq!(in_depot(&pool, BLOCKS), before);
    }
    pool.trim();
    assert_eq!(in_depot(&pool, 0), 0, "all are trimmed");
}

#[test]
fn what_a_thread_leaves_is_in_the_depot() {
    let pool = GlobalPool::new();
    // Joined by hand: a scope does not wait for thread-local destructors.
    let there = pool.clone();
    thread::spawn(move || drop(rent(&there, 3))).join().unwrap();
    assert_eq!(in_depot(&pool, 3), 3);
    let block = pool.rent(SIZE).unwrap();
    assert_eq!(in_depot(&pool, 2), 0, "this thread has the magazine now");
    drop(block);
    assert_eq!(in_depot(&pool, 3), 0);
    pool.trim();
    assert_eq!(in_depot(&pool, 0), 0);
}

/// What does not fit into the depot is not counted there.
#[test]
fn what_the_depot_refuses_is_not_counted() {
    let pool = GlobalPool::builder()
        .max_cached_bytes(100 * SIZE)
        .build()
        .unwrap();
    for _ in 0..3 {
        drop(rent(&pool, BLOCKS));
        let stats = figures(&pool);
        assert!(stats.blocks_cached() < BLOCKS, "{stats:?}");
        assert!(stats.blocks_cached_in_depot() <= 100, "{stats:?}");
    }
}
