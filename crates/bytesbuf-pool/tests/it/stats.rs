//! Figures for people.

use bytesbuf_pool::{GlobalPool, SizeClass};

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
    let pool = GlobalPool::new();
    let kept = rent(&pool, SizeClass::ALL[1], 2);
    drop(rent(&pool, SizeClass::ALL[1], 1));
    let table = "\
block size      rented      cached   allocated
     1 KiB           0           0           0
     4 KiB           2           1           3
    16 KiB           0           0           0
    64 KiB           0           0           0
total: 8192 bytes rented, 4096 bytes cached, 1 thread caches";
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
