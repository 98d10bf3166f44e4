//! A released block is rented again.

use bytesbuf_pool::GlobalPool;

use crate::util::{LARGE, SIZES, SMALL, class_stats, rent, rounds};

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn one_block_serves_any_number_of_rents() {
    let pool = GlobalPool::new();
    for class in SIZES {
        for _ in 0..rounds(10_000) {
            drop(pool.rent(class).unwrap());
        }
        let stats = class_stats(&pool, class);
        assert_eq!((stats.high_water(), stats.blocks_cached()), (1, 1));
        assert_eq!(stats.rentals(), rounds(10_000));
        assert_eq!((stats.misses(), stats.allocations()), (1, 1));
    }
}

/// More than fits into the magazines: the rest goes through the depot.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn a_burst_is_allocated_once() {
    let pool = GlobalPool::new();
    let blocks = if cfg!(miri) { 7 } else { 1000 };
    for _ in 0..rounds(20) {
        let burst = rent(&pool, SMALL, blocks);
        assert_eq!(class_stats(&pool, SMALL).blocks_in_use(), blocks);
        drop(burst);
        assert_eq!(class_stats(&pool, SMALL).blocks_cached(), blocks);
    }
    assert_eq!(class_stats(&pool, SMALL).high_water(), blocks);
}

#[test]
fn rented_blocks_are_distinct() {
    let pool = GlobalPool::new();
    drop(rent(&pool, SMALL, rounds(300)));
    let blocks = rent(&pool, SMALL, rounds(500));
    let mut states: Vec<_> = blocks
        .into_iter()
        .map(|block| {
            let (memory, _, batch) = block.open();
            (memory.addr(), batch)
        })
        .collect();
    states.sort_by_key(|(address, _)| *address);
    assert!(states.windows(2).all(|pair| pair[0].0 != pair[1].0));
}

/// The depot is bounded: beyond that, blocks go back to their slabs, and slabs that
/// are idle to the allocator.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn what_is_cached_is_bounded() {
    let pool = GlobalPool::new();
    let blocks = if cfg!(miri) { 32 } else { 1200 };
    drop(rent(&pool, LARGE, blocks));
    let stats = class_stats(&pool, LARGE);
    assert_eq!(stats.blocks_in_use(), 0);
    // 128 magazines of 8 in the depot, two with the thread.
    let bound = if cfg!(miri) { 6 } else { 1040 };
    assert_eq!(stats.blocks_cached(), bound);
    let in_slab = if cfg!(miri) { 4 } else { 7 };
    assert!(stats.slabs() <= bound.div_ceil(in_slab) + 2, "{stats:?}");
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn pools_do_not_mix() {
    let (one, two) = (GlobalPool::new(), GlobalPool::new());
    let (a, b) = (one.rent(SMALL).unwrap(), two.rent(SMALL).unwrap());
    drop(a);
    assert_eq!(one.stats().bytes_cached(), 1024);
    assert_eq!(two.stats().bytes_cached(), 0);
    drop(b);
    assert_eq!(two.stats().bytes_cached(), 1024);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn many_pools_on_one_thread() {
    let pools: Vec<_> = (0..rounds(100)).map(|_| GlobalPool::new()).collect();
    for _ in 0..3 {
        let blocks: Vec<_> = pools.iter().map(|pool| pool.rent(SMALL).unwrap()).collect();
        for pool in &pools {
            assert_eq!(pool.stats().bytes_in_use(), 1024);
        }
        drop(blocks);
    }
    for pool in &pools {
        let stats = class_stats(pool, SMALL);
        assert_eq!((stats.high_water(), stats.blocks_cached()), (1, 1));
        assert_eq!(pool.stats().thread_caches(), 1);
    }
}

/// An opened block has references in stock that the next lending knows nothing of.
#[test]
fn a_block_that_was_opened_can_be_lent_again() {
    let pool = GlobalPool::new();
    for _ in 0..3 {
        drop(pool.rent(SMALL).unwrap().open());
        drop(pool.rent(SMALL).unwrap());
        assert_eq!(pool.stats().bytes_in_use(), 0);
    }
    assert_eq!(class_stats(&pool, SMALL).high_water(), 1);
}
