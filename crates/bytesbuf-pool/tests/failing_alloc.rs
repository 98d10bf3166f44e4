//! Under a global allocator that fails on demand: renting reports it, releasing
//! never fails, and nothing is lost.
#![cfg(not(bytesbuf_loom))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::thread;

use bytesbuf_core::{Block, BlockProvider, ReserveError};
use bytesbuf_pool::GlobalPool;

struct Failing;

thread_local! {
    /// Allocations of this thread that still succeed.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Largest allocation of this thread that succeeds.
    static LARGEST: Cell<usize> = const { Cell::new(usize::MAX) };
}

// SAFETY: forwards to `System`, or returns null.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST.with(Cell::get) {
            return std::ptr::null_mut();
        }
        let left = LEFT.with(Cell::get);
        if left == 0 {
            return std::ptr::null_mut();
        }
        if left != usize::MAX {
            LEFT.with(|cell| cell.set(left - 1));
        }
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: forwarded.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// Runs `action` with `left` allocations to go.
fn with_allocations<R>(left: usize, action: impl FnOnce() -> R) -> R {
    LEFT.with(|cell| cell.set(left));
    let result = action();
    LEFT.with(|cell| cell.set(usize::MAX));
    result
}

/// Blocks of a burst: more than a magazine holds, and not many under miri.
const BURST: usize = if cfg!(miri) { 10 } else { 300 };
const SMALL: usize = 1024;
const LARGE: usize = 65_536;

/// Room for blocks that needs no allocation while they fail.
fn slots(count: usize) -> Vec<Block> {
    Vec::with_capacity(count)
}

#[test]
fn renting_without_memory_is_an_error() {
    let pool = GlobalPool::new();
    let refused = with_allocations(0, || pool.rent(LARGE));
    match refused.unwrap_err() {
        ReserveError::OutOfMemory { requested } => assert!(requested > LARGE, "{requested}"),
        other => panic!("{other}"),
    }
    assert_eq!(pool.stats().bytes_in_use() + pool.stats().bytes_cached(), 0);
    with_allocations(0, || pool.rent_contiguous(2 << 20)).unwrap_err();
    let stats = pool.stats();
    assert_eq!(stats.out_of_memory(), 2, "a class's, and a direct one");
    let large = stats
        .classes()
        .find(|class| class.block_size().get() as usize == LARGE);
    assert_eq!(large.unwrap().out_of_memory(), 1);
    assert!(
        stats
            .to_string()
            .ends_with("\nallocator: 2 rentals without memory")
    );
    drop(pool.rent(LARGE).unwrap());
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn cached_blocks_need_no_memory() {
    let pool = GlobalPool::new();
    drop(pool.rent(SMALL).unwrap());
    with_allocations(0, || {
        for _ in 0..if cfg!(miri) { 8 } else { 100 } {
            drop(pool.rent(SMALL).unwrap());
        }
        pool.rent(LARGE).unwrap_err();
    });
}

#[test]
fn releasing_without_memory_for_magazines_gives_the_blocks_back() {
    let pool = GlobalPool::new();
    let mut blocks = slots(BURST);
    blocks.extend((0..BURST).map(|_| pool.rent(SMALL).unwrap()));
    with_allocations(0, || blocks.clear());
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), 0);
    // One magazine has been there since the first rent.
    assert!(stats.bytes_cached() <= 64 * SMALL, "{stats}");
}

#[test]
fn releasing_without_memory_for_a_thread_cache_frees_the_blocks() {
    let pool = GlobalPool::new();
    let mut blocks = slots(3);
    blocks.extend((0..3).map(|_| pool.rent(SMALL).unwrap()));
    thread::spawn(move || with_allocations(0, || blocks.clear()))
        .join()
        .unwrap();
    let stats = pool.stats();
    assert_eq!((stats.bytes_in_use(), stats.bytes_cached()), (0, 0));
}

/// The slabs that the pool would like are refused, smaller ones are not.
#[test]
fn growth_goes_on_in_small_slabs() {
    let count = 10 * BURST;
    for largest in [1 << 20, 100_000, 2000] {
        let pool = GlobalPool::new();
        let mut blocks = slots(count);
        LARGEST.with(|cell| cell.set(largest));
        blocks.extend((0..count).map_while(|_| pool.rent(SMALL).ok()));
        LARGEST.with(|cell| cell.set(usize::MAX));
        assert_eq!(
            blocks.len(),
            count,
            "with allocations up to {largest} bytes"
        );
    }
}

#[test]
fn a_refused_rent_is_no_hit_and_no_miss() {
    let pool = GlobalPool::new();
    with_allocations(0, || pool.rent(LARGE)).unwrap_err();
    let stats = pool.stats();
    assert!(
        stats
            .classes()
            .all(|class| class.hits() + class.misses() == 0)
    );
}

/// Trimming allocates nothing.
#[test]
fn trimming_without_memory() {
    let pool = GlobalPool::new();
    let mut blocks = slots(BURST);
    blocks.extend((0..BURST).map(|_| pool.rent(SMALL).unwrap()));
    blocks.clear();
    with_allocations(0, || {
        pool.trim_to(1000);
        // With metrics it publishes, which allocates.
        #[cfg(not(feature = "metrics"))]
        pool.maintain();
        pool.trim();
    });
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

/// Each allocation of a scenario fails once, as the first of many.
#[test]
fn the_nth_allocation_fails() {
    // Where each block is an allocation, there are as many more.
    let (count, most) = match (cfg!(miri), cfg!(bytesbuf_pass_through)) {
        (true, _) => (4, 20),
        (_, false) => (20, 30),
        (_, true) => (20, 60),
    };
    let mut failures = 0;
    for nth in 0..most {
        let pool = GlobalPool::new();
        let mut blocks = slots(40);
        let rented = thread::scope(|scope| {
            scope
                .spawn(|| {
                    with_allocations(nth, || {
                        let rented = pool.provide(count * LARGE, &mut |block| blocks.push(block));
                        let again = pool.provide(5000, &mut |block| blocks.push(block));
                        blocks.truncate(count * 3 / 4);
                        rented.and(again)
                    })
                })
                .join()
                .unwrap()
        });
        failures += usize::from(rented.is_err());
        let in_use: usize = blocks.iter().map(|block| block.len().get() as usize).sum();
        assert_eq!(pool.stats().bytes_in_use(), in_use, "allocation {nth}");
        drop(blocks);
        assert_eq!(pool.stats().bytes_in_use(), 0, "allocation {nth}");
    }
    assert!((3..most).contains(&failures), "{failures}");
}
