//! Under a global allocator that remembers the layout of each allocation: every
//! one is freed once, with the layout it was made with, by the time the pool and
//! its blocks are gone. (Miri checks layouts and leaks by itself, and boxes have no
//! access to the note in front of them there.)
#![cfg(not(any(bytesbuf_loom, miri)))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use bytesbuf_pool::GlobalPool;

/// In front of each allocation, as far as its alignment demands.
const fn lead(layout: Layout) -> usize {
    if layout.align() > 16 {
        layout.align()
    } else {
        16
    }
}

/// Whether an allocation is a slab. Large, or else one of a block, and then there are
/// no thread caches, which look like one.
fn is_slab(layout: Layout) -> bool {
    layout.align() == 64 && (layout.size() > 400 << 10 || cfg!(bytesbuf_pass_through))
}

struct Checked;

/// Bytes in slabs.
static SLAB_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Bytes in allocations aligned to 64 or more: slabs, thread caches and shared
/// objects, nothing else here.
static ALIGNED_BYTES: AtomicUsize = AtomicUsize::new(0);
static WRONG: AtomicBool = AtomicBool::new(false);

// SAFETY: forwards to `System` with room for a note in front.
unsafe impl GlobalAlloc for Checked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Ok(outer) = Layout::from_size_align(layout.size() + lead(layout), lead(layout)) else {
            return std::ptr::null_mut();
        };
        // SAFETY: not of size zero.
        let memory = unsafe { System.alloc(outer) };
        if memory.is_null() {
            return memory;
        }
        if is_slab(layout) {
            // Relaxed: partner of the load in `slab_bytes`, when threads are joined.
            SLAB_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        }
        if layout.align() >= 64 {
            // Relaxed: partner of the load in `aligned_bytes`, when threads are joined.
            ALIGNED_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: the lead has room for two words, aligned to 16.
        unsafe {
            memory
                .cast::<[usize; 2]>()
                .write([layout.size(), layout.align()]);
        };
        // SAFETY: within the allocation.
        unsafe { memory.add(lead(layout)) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the start of the allocation, if the layout is the same.
        let memory = unsafe { ptr.sub(lead(layout)) };
        // SAFETY: written by `alloc`.
        let noted = unsafe { memory.cast::<[usize; 2]>().read() };
        if noted != [layout.size(), layout.align()] {
            // Relaxed: partner of the load in `check`, when threads are joined.
            WRONG.store(true, Ordering::Relaxed);
        }
        if is_slab(layout) {
            // Relaxed: partner of the load in `slab_bytes`, when threads are joined.
            SLAB_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        if layout.align() >= 64 {
            // Relaxed: partner of the load in `aligned_bytes`, when threads are joined.
            ALIGNED_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        // So that a second free of the same memory is noticed.
        // SAFETY: as above.
        unsafe { memory.cast::<[usize; 2]>().write([0, 0]) };
        let outer = layout.size() + lead(layout);
        // SAFETY: the same sum as in `alloc`.
        let outer = unsafe { Layout::from_size_align_unchecked(outer, lead(layout)) };
        // SAFETY: allocated with this layout.
        unsafe { System.dealloc(memory, outer) };
    }
}

#[global_allocator]
static ALLOCATOR: Checked = Checked;

fn slab_bytes() -> usize {
    // Relaxed: partner of the additions in `alloc` and `dealloc`; the threads are joined.
    SLAB_BYTES.load(Ordering::Relaxed)
}

fn aligned_bytes() -> usize {
    // Relaxed: partner of the additions in `alloc` and `dealloc`; the threads are joined.
    ALIGNED_BYTES.load(Ordering::Relaxed)
}

/// Tests take turns: the counters are those of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs a scenario and asserts that nothing of it stays.
fn check(rounds: usize, scenario: impl Fn()) {
    // A test that failed leaves it poisoned.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = aligned_bytes();
    for _ in 0..rounds {
        scenario();
        assert_eq!(aligned_bytes(), before);
    }
    // Relaxed: partner of the store in `dealloc`; the threads are joined.
    assert!(!WRONG.load(Ordering::Relaxed), "a layout did not match");
}

#[test]
fn everything_is_freed_with_its_layout() {
    check(20, || {
        let pool = GlobalPool::new();
        let (outbox, inbox) = mpsc::channel();
        let producer = {
            let pool = pool.clone();
            thread::spawn(move || {
                for size in [1024, 4096, 16_384, 65_536] {
                    for _ in 0..200 {
                        outbox.send(pool.rent(size).unwrap()).unwrap();
                    }
                }
            })
        };
        let mut kept = Vec::new();
        for (number, block) in inbox.into_iter().enumerate() {
            if number % 3 == 0 {
                kept.push(block);
            }
        }
        producer.join().unwrap();
        let stats = pool.stats();
        assert_eq!(slab_bytes(), stats.bytes_allocated());
        assert!(stats.bytes_in_use() > 0);
        assert_eq!(stats.bytes_cached() > 0, !cfg!(bytesbuf_pass_through));

        // Trimmed and closed: what is idle goes at once, what has lent blocks
        // follows.
        let freed = pool.trim();
        assert_eq!(slab_bytes(), stats.bytes_allocated() - freed);
        let lent: usize = kept.iter().map(|block| block.len().get() as usize).sum();
        drop(pool);
        assert!(slab_bytes() >= lent);
        thread::spawn(move || drop(kept)).join().unwrap();
    });
}

/// So many blocks rented by one thread and released by another that both settle their
/// accounts of what keeps the pool alive, more than once.
#[test]
fn a_pool_goes_after_any_number_of_blocks_that_went_one_way() {
    check(1, || {
        let pool = GlobalPool::new();
        let (outbox, inbox) = mpsc::sync_channel::<Vec<_>>(2);
        let consumer = thread::spawn(move || inbox.into_iter().for_each(drop));
        for _ in 0..280 {
            let batch = (0..500).map(|_| pool.rent(1024).unwrap());
            outbox.send(batch.collect()).unwrap();
        }
        drop(outbox);
        consumer.join().unwrap();
        let stats = pool.stats();
        assert_eq!(stats.bytes_in_use(), 0);
        assert_eq!(slab_bytes(), stats.bytes_allocated());
    });
}

/// The last handle goes on another thread. What this one has of the pool, it gives up
/// when it next does more than take what is at hand, of whichever pool.
#[test]
fn a_thread_gives_up_what_it_has_of_a_pool_that_was_closed_elsewhere() {
    check(5, || {
        let but_slabs = || aligned_bytes() - slab_bytes();
        let other = GlobalPool::new();
        drop(other.rent(1024).unwrap());
        let before = but_slabs();
        for round in 1..4 {
            let pool = GlobalPool::new();
            drop(pool.rent(1024).unwrap());
            assert!(but_slabs() > before);
            thread::spawn(move || drop(pool)).join().unwrap();
            // A size of which nothing is at hand.
            drop(other.rent_contiguous(1024 << (2 * round)).unwrap());
            assert_eq!(but_slabs(), before, "round {round}");
        }
    });
}
