//! The mode for memory checkers: a block is an allocation, from rent to release.

use std::thread;

use bytesbuf_core::BlockProvider;
use bytesbuf_pool::{Budget, GlobalPool};

use crate::util::{LARGE, SIZES, SMALL, class_stats, rent, rounds};

fn pass_through() -> GlobalPool {
    GlobalPool::builder().pass_through(true).build().unwrap()
}

#[test]
fn each_block_is_an_allocation_of_its_own() {
    let pool = pass_through();
    for size in SIZES {
        let mut kept = rent(&pool, size, 5);
        for left in (0..5).rev() {
            let stats = class_stats(&pool, size);
            assert_eq!((stats.slabs(), stats.blocks_in_use()), (left + 1, left + 1));
            // A header and the slab's own beside the payload, and no second block.
            let allocated = pool.stats().bytes_allocated();
            assert!((left + 1) * size < allocated && allocated < (left + 1) * (size + 1024));
            drop(kept.pop());
            let stats = class_stats(&pool, size);
            assert_eq!((stats.slabs(), stats.blocks_cached()), (left, 0));
        }
        assert_eq!(pool.stats().bytes_allocated(), 0);
    }
    assert_eq!(pool.stats().thread_caches(), 0);
}

/// However much the class has already: slabs of several blocks would grow.
#[test]
fn many_blocks_are_as_many_allocations() {
    let pool = pass_through();
    let kept = rent(&pool, LARGE, rounds(200));
    let stats = class_stats(&pool, LARGE);
    assert_eq!(
        (stats.slabs(), stats.allocations()),
        (kept.len(), kept.len())
    );
}

#[test]
fn nothing_is_used_twice() {
    let pool = pass_through();
    for _ in 0..rounds(100) {
        drop(pool.rent(SMALL).unwrap());
    }
    let stats = class_stats(&pool, SMALL);
    assert_eq!(
        (stats.rentals(), stats.misses()),
        (rounds(100), rounds(100))
    );
    assert_eq!((stats.allocations(), stats.high_water()), (rounds(100), 1));
}

#[test]
fn contiguous_blocks_too() {
    let pool = pass_through();
    for bytes in [1, LARGE + 1, (1 << 20) + 1] {
        let block = pool.rent_contiguous(bytes).unwrap();
        assert!(pool.stats().bytes_allocated() >= bytes);
        drop(block);
        assert_eq!(
            (pool.stats().bytes_in_use(), pool.stats().bytes_allocated()),
            (0, 0)
        );
    }
}

#[test]
fn freed_on_whatever_thread_and_after_the_pool() {
    let pool = pass_through();
    let mut kept = rent(&pool, SMALL, 4);
    let there = kept.split_off(2);
    thread::spawn(move || drop(there)).join().unwrap();
    let stats = class_stats(&pool, SMALL);
    assert_eq!((stats.slabs(), stats.blocks_in_use()), (2, 2));
    assert_eq!(pool.stats().thread_caches(), 0);
    drop(pool);
    drop(kept.pop());
    thread::spawn(move || drop(kept)).join().unwrap();
}

#[test]
fn with_a_budget() {
    let budget = Budget::new(3 * LARGE);
    let pool = pass_through().with_budget(&budget);
    let mut kept = Vec::new();
    pool.provide(3 * LARGE, &mut |block| kept.push(block))
        .unwrap();
    assert_eq!(
        (budget.in_use(), class_stats(&pool, LARGE).slabs()),
        (3 * LARGE, 3)
    );
    pool.rent(1).unwrap_err();
    drop(kept.pop());
    assert_eq!(
        (budget.in_use(), class_stats(&pool, LARGE).slabs()),
        (2 * LARGE, 2)
    );
    drop(kept);
    assert_eq!((budget.in_use(), pool.stats().bytes_allocated()), (0, 0));
}

#[test]
fn there_is_nothing_to_trim() {
    let pool = pass_through();
    let kept = pool.rent(SMALL).unwrap();
    drop(pool.rent(LARGE).unwrap());
    assert_eq!((pool.trim(), pool.trim_to(0), pool.maintain()), (0, 0, 0));
    assert_eq!(class_stats(&pool, SMALL).slabs(), 1);
    drop(kept);
}
