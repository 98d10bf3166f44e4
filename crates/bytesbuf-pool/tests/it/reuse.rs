//! A released block is rented again.

use bytesbuf_pool::{Budget, GlobalPool, Wipe};

use crate::util::{LARGE, REACHES, SIZES, SMALL, class_stats, rent, rounds};

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

/// Only where nothing has to be charged, wiped or noted, and one block is enough.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
#[cfg_attr(feature = "holders", ignore = "every rental is noted")]
fn a_block_at_hand_is_rented_without_looking_further() {
    let pool = GlobalPool::new();
    let at_hand =
        |pool: &GlobalPool, bytes| pool.rent_at_hand(bytes).map(|block| block.len().get());
    let table = [0, 1, SMALL, LARGE - 1, LARGE, LARGE + 1, usize::MAX];
    for bytes in table {
        assert_eq!(at_hand(&pool, bytes), None, "{bytes}: there is none yet");
    }
    for size in [SMALL, LARGE] {
        drop(rent(&pool, size, 1));
    }
    let (small, large) = (Some(SMALL as u32), Some(LARGE as u32));
    for (bytes, expected) in table
        .into_iter()
        .zip([None, small, small, large, large, None, None])
    {
        assert_eq!(at_hand(&pool, bytes), expected, "{bytes}");
    }
    let taken = pool.rent_at_hand(1).unwrap();
    assert_eq!(at_hand(&pool, 1), None, "it is taken");
    drop(taken);

    let limited = pool.with_budget(&Budget::new(LARGE));
    assert_eq!(at_hand(&limited, 1), None, "it has to be charged");
    let wiping = GlobalPool::builder().wipe(Wipe::OnReuse).build().unwrap();
    drop(rent(&wiping, SMALL, 1));
    assert_eq!(at_hand(&wiping, 1), None, "it has to be wiped");
}

/// Blocks that went back to their slab, which had to stay, come a magazine at a time: one
/// rental looks for them, and the next ones find them at hand.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn blocks_come_from_their_slabs_in_magazines() {
    let pool = GlobalPool::builder()
        .size_classes([1024])
        .magazine_blocks(3)
        .build()
        .unwrap();
    // Every other block stays out, and keeps its slab.
    let mut blocks = rent(&pool, SMALL, 16);
    let mut every_other = false;
    blocks.retain(|_| {
        every_other = !every_other;
        every_other
    });
    pool.trim();
    let before = class_stats(&pool, SMALL);
    assert_eq!(before.blocks_cached() == 0, REACHES);
    if !REACHES {
        return;
    }
    blocks.extend(rent(&pool, SMALL, 6));
    let after = class_stats(&pool, SMALL);
    let (hits, misses) = (
        after.hits() - before.hits(),
        after.misses() - before.misses(),
    );
    assert_eq!((hits, misses), (4, 2));
    assert_eq!(after.allocations(), before.allocations());
}
