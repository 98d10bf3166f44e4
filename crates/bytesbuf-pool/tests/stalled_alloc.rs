//! Under a global allocator in which a thread is stuck: while it waits there on behalf
//! of the pool, all others rent, grow, release and trim. So no lock of the pool is held
//! across an allocation, and none is needed to get by.
#![cfg(not(bytesbuf_loom))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytesbuf_pool::GlobalPool;

struct Stalling;

thread_local! {
    /// Whether this thread stops at its next allocation.
    static STOPS: Cell<bool> = const { Cell::new(false) };
}

/// A thread is inside of the allocator.
static STUCK: AtomicBool = AtomicBool::new(false);
/// It may go on.
static GO: AtomicBool = AtomicBool::new(false);

// SAFETY: forwards to `System`, sooner or later.
unsafe impl GlobalAlloc for Stalling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if STOPS
            .try_with(|stops| stops.replace(false))
            .unwrap_or(false)
        {
            // Release: partner of the Acquire in `while_stuck`.
            STUCK.store(true, Ordering::Release);
            // Acquire: partner of the Release in `while_stuck`.
            while !GO.load(Ordering::Acquire) {
                thread::yield_now();
            }
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
static ALLOCATOR: Stalling = Stalling;

/// Runs `action` while another thread does `stuck` and is in the middle of its first
/// allocation.
fn while_stuck(stuck: impl FnOnce() + Send, action: impl FnOnce()) {
    // Relaxed: partner of nothing; no other thread yet.
    STUCK.store(false, Ordering::Relaxed);
    // Relaxed: partner of nothing, as above.
    GO.store(false, Ordering::Relaxed);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            STOPS.set(true);
            stuck();
            STOPS.set(false);
        });
        // Acquire: partner of the Release in `alloc`.
        while !STUCK.load(Ordering::Acquire) {
            assert!(!worker.is_finished(), "it has not allocated");
            thread::yield_now();
        }
        action();
        // Release: partner of the Acquire in `alloc`.
        GO.store(true, Ordering::Release);
        worker.join().unwrap();
    });
}

/// One test: the flags are shared by the whole process.
#[test]
fn nobody_waits_for_a_thread_that_is_stuck_in_the_allocator() {
    for size in [1024, 65_536, 200_000] {
        let pool = GlobalPool::builder().max_bytes(1 << 30).build().unwrap();
        let work = || {
            for round in 0..3 {
                // From the thread's own magazine, the depot, and a new slab.
                let count = if cfg!(miri) { 5 } else { 300 };
                let blocks: Vec<_> = (0..count)
                    .map(|_| pool.rent_contiguous(size).unwrap())
                    .collect();
                assert_eq!(
                    pool.stats().bytes_in_use() / blocks[0].len().get() as usize,
                    count
                );
                if round == 1 {
                    thread::scope(|scope| {
                        // Joined by hand: a scope does not wait for thread-local destructors.
                        scope.spawn(|| drop(blocks)).join().unwrap();
                    });
                }
                pool.trim_to(100_000);
            }
        };
        // Its first allocation is a thread cache, or its first slab.
        while_stuck(|| drop(pool.rent_contiguous(size).unwrap()), work);
        while_stuck(
            || {
                // Its cache is there: this one is a slab, or a larger list of them.
                STOPS.set(false);
                drop(pool.rent(1).unwrap());
                STOPS.set(true);
                let blocks: Vec<_> = (0..2)
                    .map(|_| pool.rent_contiguous(2 << 20).unwrap())
                    .collect();
                drop(blocks);
            },
            work,
        );
        assert_eq!(pool.stats().bytes_in_use(), 0);
        assert_eq!(pool.budget().unwrap().in_use(), 0);
    }
}
