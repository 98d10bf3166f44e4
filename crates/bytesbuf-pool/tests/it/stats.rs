//! Figures for people.

use bytesbuf_pool::GlobalPool;

use crate::util::{LARGE, SMALL, rent};

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn bytes_follow_rent_and_release() {
    let pool = GlobalPool::new();
    let small = rent(&pool, SMALL, 2);
    let large = rent(&pool, LARGE, 1);
    assert_eq!(pool.stats().bytes_in_use(), 2 * 1024 + 65_536);
    assert_eq!(pool.stats().bytes_cached(), 0);
    drop(large);
    assert_eq!(pool.stats().bytes_in_use(), 2 * 1024);
    assert_eq!(pool.stats().bytes_cached(), 65_536);
    drop(small);
    assert_eq!(pool.stats().bytes_in_use(), 0);
    assert_eq!(pool.stats().bytes_cached(), 2 * 1024 + 65_536);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn printed_as_a_table() {
    let pool = GlobalPool::builder()
        .size_classes([1024, 4096])
        .max_pooled_contiguous(0)
        .build()
        .unwrap();
    let kept = rent(&pool, 4096, 2);
    drop(rent(&pool, 4096, 1));
    let slab = if cfg!(miri) { 4 } else { 126 };
    // What stands in front of the headers is a multiple of their alignment.
    let front = if usize::BITS > 32 { 128 } else { 64 };
    let held = front + slab * (64 + 4096);
    let table = format!(
        "\x20\
block bytes    rented   threads     depot      most   slabs      rentals    misses
        1024         0         0         0         0       0            0         0
        4096         2         1         0         3       1            3         3
total: 8192 bytes rented, 4096 cached, {held} from the allocator; 1 thread caches"
    );
    assert_eq!(pool.stats().to_string(), table);
    drop(kept);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn debug_is_short_and_has_figures_only() {
    let pool = GlobalPool::new();
    let block = pool.rent(SMALL).unwrap();
    assert_eq!(
        format!("{pool:?}"),
        "GlobalPool { bytes_in_use: 1024, bytes_cached: 0, thread_caches: 1 }"
    );
    drop(block);
}

#[test]
fn the_budget_of_the_handle_follows_the_table() {
    let pool = GlobalPool::builder()
        .name("frames")
        .max_bytes(4096)
        .build()
        .unwrap();
    let child = pool.budget().unwrap().child(2000);
    let connection = pool.with_budget(&child);
    let block = connection.rent(SMALL).unwrap();
    connection.rent(SMALL).unwrap_err();

    assert!(GlobalPool::new().stats().budget().is_none());
    let stats = pool.stats();
    assert_eq!(stats.budget(), Some(&pool.budget().unwrap().stats()));
    let stats = connection.stats();
    let budget = stats.budget().unwrap();
    assert_eq!((budget.limit, budget.waits, budget.refusals), (2000, 0, 1));
    let printed = stats.to_string();
    let lines: Vec<_> = printed.lines().rev().take(3).collect();
    assert_eq!(
        lines[0],
        "frames: 1024 of 4096 bytes in use, peak 1024; 0 waiting, 0 waits, 0 refusals"
    );
    assert_eq!(
        lines[1],
        "budget: 1024 of 2000 bytes in use, peak 1024; 0 waiting, 0 waits, 1 refusals"
    );
    assert!(lines[2].starts_with("total: "));
    assert_eq!(stats.out_of_memory(), 0);
    drop(block);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn what_a_thread_had_at_hand_is_a_hit() {
    let pool = GlobalPool::new();
    let figures = || {
        let stats = pool.stats();
        let class = stats.classes().next().unwrap();
        (class.rentals(), class.hits(), class.misses())
    };
    assert_eq!(figures(), (0, 0, 0));
    drop(rent(&pool, SMALL, 1));
    let (rentals, _, misses) = figures();
    assert_eq!((rentals, misses), (1, 1), "there was none yet");
    for again in 1..4 {
        drop(rent(&pool, SMALL, 1));
        assert_eq!(figures(), (1 + again, again, 1));
    }
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn a_thread_that_is_gone_has_nothing_at_hand() {
    let pool = GlobalPool::new();
    let cached = || {
        let stats = pool.stats();
        let class = stats.classes().next().unwrap();
        let (threads, depot) = (
            class.blocks_cached_by_threads(),
            class.blocks_cached_in_depot(),
        );
        assert_eq!(class.blocks_cached(), threads + depot);
        (threads, depot)
    };
    drop(rent(&pool, SMALL, 2));
    assert_eq!(cached(), (2, 0));
    let there = pool.clone();
    std::thread::spawn(move || drop(rent(&there, SMALL, 3)))
        .join()
        .unwrap();
    assert_eq!(cached(), (2, 3));
    pool.trim();
    assert_eq!(cached(), (0, 0));
}
