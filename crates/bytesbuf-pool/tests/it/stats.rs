//! Figures for people.

use bytesbuf_pool::GlobalPool;

use crate::util::{LARGE, SMALL, rent};

#[test]
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
fn printed_as_a_table() {
    let pool = GlobalPool::builder()
        .size_classes([1024, 4096])
        .max_pooled_contiguous(0)
        .build()
        .unwrap();
    let kept = rent(&pool, 4096, 2);
    drop(rent(&pool, 4096, 1));
    let slab = if cfg!(miri) { 4 } else { 126 };
    let held = 128 + slab * (64 + 4096);
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
fn debug_is_short_and_has_figures_only() {
    let pool = GlobalPool::new();
    let block = pool.rent(SMALL).unwrap();
    assert_eq!(
        format!("{pool:?}"),
        "GlobalPool { bytes_in_use: 1024, bytes_cached: 0, thread_caches: 1 }"
    );
    drop(block);
}
