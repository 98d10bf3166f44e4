//! Under a global allocator that uses the pool it serves: in `alloc` and `dealloc`
//! it rents and releases, and once drops the last handle of another pool.
#![cfg(not(bytesbuf_loom))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::thread;
use std::time::Duration;

use bytesbuf_core::Block;
use bytesbuf_pool::{Budget, GlobalPool};

const SIZES: [usize; 4] = [1024, 4096, 16_384, 65_536];

struct Reentrant;

struct Inner {
    depth: Cell<u32>,
    calls: Cell<u32>,
    pool: RefCell<Option<GlobalPool>>,
    kept: RefCell<Vec<Block>>,
}

thread_local! {
    /// Allocations of this thread.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// A last handle, for the allocator to drop.
    static CLOSE: RefCell<Option<GlobalPool>> = const { RefCell::new(None) };
    static INNER: Inner = const {
        Inner {
            depth: Cell::new(0),
            calls: Cell::new(0),
            pool: RefCell::new(None),
            kept: RefCell::new(Vec::new()),
        }
    };
}

/// How often the pool is used inside itself. A second level takes miri twenty minutes where
/// each block is an allocation.
const LEVELS: u32 = if cfg!(miri) { 1 } else { 2 };

/// Uses the pool on behalf of the allocator, some levels deep.
fn come_back() {
    let closing = CLOSE.try_with(|close| close.try_borrow_mut().ok()?.take());
    drop(closing);
    let _ = INNER.try_with(|inner| {
        if inner.depth.get() >= LEVELS {
            return;
        }
        let Ok(Some(pool)) = inner.pool.try_borrow().map(|pool| pool.clone()) else {
            return;
        };
        inner.depth.set(inner.depth.get() + 1);
        inner.calls.set(inner.calls.get() + 1);
        for class in SIZES {
            let one = pool.rent(class);
            let two = pool.rent(class);
            drop(one);
            // Keep some, so that magazines run empty and full in the middle.
            if let Ok(mut kept) = inner.kept.try_borrow_mut() {
                if kept.len() < kept.capacity() {
                    kept.extend(two);
                } else if inner.calls.get() % 3 == 0 {
                    drop(kept.pop());
                }
            }
        }
        drop(pool);
        inner.depth.set(inner.depth.get() - 1);
    });
}

// SAFETY: forwards to `System`.
unsafe impl GlobalAlloc for Reentrant {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        come_back();
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        come_back();
        // SAFETY: forwarded.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Reentrant = Reentrant;

fn exercise(pool: &GlobalPool) {
    let burst = if cfg!(miri) { 8 } else { 400 };
    for class in SIZES {
        let blocks: Vec<_> = (0..burst).map(|_| pool.rent(class).unwrap()).collect();
        drop(blocks);
    }
}

#[test]
fn the_allocator_may_use_the_pool() {
    let pool = GlobalPool::new();
    thread::scope(|scope| {
        // Joined by hand: a scope does not wait for thread-local destructors.
        let thread = scope.spawn(|| {
            INNER.with(|inner| {
                inner.kept.replace(Vec::with_capacity(100));
                inner.pool.replace(Some(pool.clone()));
            });
            exercise(&pool);
            INNER.with(|inner| {
                assert!(inner.calls.get() > 0, "the allocator did come back");
                let handle = inner.pool.take();
                drop(handle);
                let kept = inner.kept.take();
                drop(kept);
            });
        });
        thread.join().unwrap();
    });
    let stats = pool.stats();
    assert_eq!((stats.bytes_in_use(), stats.thread_caches()), (0, 0));
}

/// The last handle of the pool goes inside the allocator, while a release of one
/// of its blocks is under way on the same thread.
#[test]
fn the_allocator_may_close_the_pool_that_releases() {
    for blocks in [1, 70, 200] {
        let pool = GlobalPool::new();
        thread::spawn(move || {
            let rented: Vec<_> = (0..blocks).map(|_| pool.rent(1024).unwrap()).collect();
            CLOSE.with(|close| close.replace(Some(pool)));
            drop(rented);
        })
        .join()
        .unwrap();
    }
}

/// An allocator that is asked for memory by a thread that falls asleep, and gives back what
/// that thread waits for, would find the locks taken that it needs for that. So whatever the
/// system keeps for a thread that sleeps must not be allocated then, when it does so for the
/// first time. (What the wait itself needs is allocated every time, before the locks.)
#[test]
#[cfg(any(target_os = "linux", windows))]
fn falling_asleep_for_budget_does_not_allocate() {
    /// On a thread, while the threads before it are still there.
    fn on_so_many_threads(count: usize, budget: &Budget) {
        let wait = || {
            let before = ALLOCATIONS.get();
            let waited = budget.charge_timeout(1, Duration::from_millis(1));
            assert!(waited.is_err());
            ALLOCATIONS.get() - before
        };
        // The first wait of the thread's life, and the second.
        assert_eq!(wait(), wait());
        if count > 1 {
            thread::scope(|scope| {
                let next = scope.spawn(|| on_so_many_threads(count - 1, budget));
                next.join().unwrap();
            });
        }
    }

    let budget = Budget::new(100);
    let _all = budget.try_charge(100).unwrap();
    // The queue has room after that.
    assert!(budget.charge_timeout(1, Duration::from_millis(1)).is_err());
    on_so_many_threads(8, &budget);
}

/// There is nothing to keep blocks for.
#[test]
fn a_block_of_a_closed_pool_goes_back_without_a_thread_cache() {
    let pool = GlobalPool::new();
    let block = pool.rent(1024).unwrap();
    drop(pool);
    let release = move || {
        let before = ALLOCATIONS.get();
        drop(block);
        ALLOCATIONS.get() - before
    };
    assert_eq!(thread::spawn(release).join().unwrap(), 0);
}
