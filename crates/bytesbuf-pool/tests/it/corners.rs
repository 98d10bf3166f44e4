//! Corners that others fell into: threads by the thousand, blocks by the million,
//! panics half way through, everybody out of budget at once.
//!
//! Elsewhere: a pool that goes before its blocks in `lifetime`; blocks released on
//! threads that never rented, in `threads`; use during and after the destructors of
//! thread-locals in `teardown`, and with a budget in `budgeted`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytesbuf_core::{Block, BlockProvider, ReserveError};
use bytesbuf_pool::{Budget, GlobalPool, Wipe};

use crate::util::{CACHES, LARGE, REACHES, SIZES, SMALL, rent, rounds};

/// Nothing is lent, and nothing stays after a trim.
#[track_caller]
fn nothing_is_left(pool: &GlobalPool) {
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), 0, "{stats}");
    if let Some(budget) = pool.budget() {
        assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
    }
    pool.trim();
    if REACHES {
        let stats = pool.stats();
        assert_eq!(
            (stats.bytes_cached(), stats.bytes_allocated()),
            (0, 0),
            "{stats}"
        );
    }
}

/// Most that a pool with default settings caches, with so many threads: the depot,
/// and two magazines of each ordinary class for each thread.
fn cached_bound(threads: usize) -> usize {
    let (depot, thread) = if cfg!(miri) {
        (256 << 10, 2 * (2 * 1024 + 4096 + 16_384 + 65_536))
    } else {
        (64 << 20, 2 * (64 + 128 + 256 + 512) * 1024)
    };
    depot + threads * thread
}

/// Each rents, hands some of it on to the next thread, releases what it got, and
/// ends. Eight at a time.
#[test]
fn ten_thousand_threads_strand_nothing() {
    let pool = GlobalPool::builder().max_bytes(64 << 20).build().unwrap();
    let at_a_time = if cfg!(miri) { 2 } else { 8 };
    let mut estates: Vec<Vec<Block>> = Vec::new();
    for _ in 0..rounds(10_000) / at_a_time {
        let threads: Vec<_> = (0..at_a_time)
            .map(|index| {
                let pool = pool.clone();
                let inherited = estates.pop();
                thread::spawn(move || {
                    let mut blocks = rent(&pool, SIZES[index % SIZES.len()], 1 + index % 3);
                    drop(inherited);
                    blocks.extend(pool.rent(SMALL));
                    blocks.split_off(1)
                })
            })
            .collect();
        estates.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    }
    drop(estates);
    let stats = pool.stats();
    assert_eq!(
        (stats.bytes_in_use(), stats.thread_caches()),
        (0, usize::from(CACHES)),
        "{stats}"
    );
    assert!(stats.bytes_cached() <= cached_bound(1), "{stats}");
    nothing_is_left(&pool);
}

/// All alive at once, each with free blocks of its own, which are within reach.
#[test]
fn many_threads_alive_at_once_are_within_reach() {
    let pool = GlobalPool::new();
    let threads = rounds(100);
    let (ready, is_ready) = mpsc::channel();
    let (gates, workers): (Vec<_>, Vec<_>) = (0..threads)
        .map(|_| {
            let (gate, wait) = mpsc::channel::<()>();
            let (pool, ready) = (pool.clone(), ready.clone());
            let worker = thread::spawn(move || {
                drop(rent(&pool, SMALL, 2));
                ready.send(()).unwrap();
                let _ = wait.recv();
                drop(rent(&pool, SMALL, 2));
            });
            (gate, worker)
        })
        .unzip();
    for _ in 0..threads {
        is_ready.recv().unwrap();
    }
    let stats = pool.stats();
    let caches = if CACHES { threads } else { 0 };
    assert_eq!(stats.thread_caches(), caches);
    assert_eq!(
        (stats.bytes_in_use(), stats.bytes_cached()),
        (0, caches * 2 * SMALL)
    );
    nothing_is_left(&pool);
    drop(gates);
    for worker in workers {
        worker.join().unwrap();
    }
    nothing_is_left(&pool);
}

/// A GiB of address space. Payloads are not touched, headers are: 64 MiB.
#[test]
fn a_million_live_blocks() {
    let pool = GlobalPool::builder().wipe(Wipe::Never).build().unwrap();
    let count = match (cfg!(miri), CACHES) {
        (true, _) => 64,
        (_, true) => 1 << 20,
        (_, false) => 1 << 14, // each of them touches a page of its own
    };
    let mut blocks = rent(&pool, SMALL, count);
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), count * SMALL);
    // Slabs grow with their number: a header for each block, and little else.
    let allocated = stats.bytes_allocated();
    assert!(allocated >= count * (SMALL + 64), "{stats}");
    if CACHES {
        assert!(allocated <= count * (SMALL + 64) + (5 << 20), "{stats}");
    }
    if CACHES && !cfg!(miri) {
        let slabs: usize = stats.classes().map(|class| class.slabs()).sum();
        assert!(slabs < 400, "a GiB in pieces of up to 4 MiB: {slabs}");
    }
    // On four threads, every fourth block each, so that each slab gets its blocks
    // back from all of them.
    let mut shares: Vec<Vec<Block>> = (0..4).map(|_| Vec::new()).collect();
    for (index, block) in blocks.drain(..).enumerate() {
        shares[index % 4].push(block);
    }
    let threads: Vec<_> = shares
        .into_iter()
        .map(|share| thread::spawn(move || drop(share)))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), 0);
    assert!(stats.bytes_cached() <= cached_bound(1), "{stats}");
    nothing_is_left(&pool);
}

/// The sink panics at its nth block, having kept those before; with and without a
/// budget, when the request is charged at once and when it had a permit.
#[test]
fn a_sink_that_panics_at_any_block_gives_everything_back() {
    for limited in [false, true] {
        let builder = GlobalPool::builder();
        let builder = if limited {
            builder.max_bytes(8 * LARGE)
        } else {
            builder
        };
        let pool = builder.build().unwrap();
        let in_use = || {
            (
                pool.stats().bytes_in_use(),
                pool.budget().map_or(0, Budget::in_use),
            )
        };
        let at_a_time = |kept| (kept, if limited { kept } else { 0 });
        for nth in 0..4 {
            for with_permit in [false, true] {
                let mut kept = Vec::new();
                let mut sink = |block| {
                    assert!(kept.len() < nth, "on purpose");
                    kept.push(block);
                };
                let attempt = catch_unwind(AssertUnwindSafe(|| {
                    if with_permit {
                        let permit = pool.permit_timeout(4 * LARGE, Duration::MAX);
                        permit.unwrap().provide(&mut sink)
                    } else {
                        pool.provide(4 * LARGE, &mut sink)
                    }
                }));
                assert!(attempt.is_err());
                assert_eq!(in_use(), at_a_time(nth * LARGE), "block {nth}");
                drop(kept);
                assert_eq!(in_use(), (0, 0), "block {nth}");
            }
        }
        nothing_is_left(&pool);
    }
}

/// A provider on top of the pool that panics after its nth block.
#[derive(Debug)]
struct Fragile {
    pool: GlobalPool,
    nth: usize,
}

impl BlockProvider for Fragile {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        let mut provided = 0;
        self.pool.provide(min_bytes, &mut |block| {
            assert!(provided < self.nth, "on purpose");
            provided += 1;
            sink(block);
        })
    }
}

#[test]
fn a_provider_that_panics_half_way_gives_everything_back() {
    for nth in 0..4 {
        let pool = GlobalPool::builder().max_bytes(4 * LARGE).build().unwrap();
        let fragile = Fragile {
            pool: pool.clone(),
            nth,
        };
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            let mut kept = Vec::new();
            fragile.provide(4 * LARGE, &mut |block| kept.push(block))
        }));
        assert!(attempt.is_err());
        drop(fragile);
        nothing_is_left(&pool);
        // All of the budget is there for the next one.
        pool.provide(4 * LARGE, &mut |_| ()).unwrap();
    }
}

/// The owner of the iterator that feeds blocks to somebody panics half way; blocks
/// that were collected go back with what collected them.
#[test]
fn an_iterator_that_panics_half_way_gives_everything_back() {
    let pool = GlobalPool::builder().max_bytes(4 * LARGE).build().unwrap();
    for nth in 0..4 {
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            let blocks = (0..4).map(|index| {
                assert!(index < nth, "on purpose");
                pool.rent(LARGE).unwrap()
            });
            blocks.collect::<Vec<_>>()
        }));
        assert!(attempt.is_err());
        assert_eq!(pool.budget().unwrap().in_use(), 0, "block {nth}");
    }
    nothing_is_left(&pool);
}

/// Eight threads on a budget for two: those that wait, those that do not, and both.
/// In every round all eight wait before there is room for any.
#[test]
fn eight_threads_out_of_budget_recover() {
    let pool = GlobalPool::builder().max_bytes(2 * LARGE).build().unwrap();
    let budget = pool.budget().unwrap().clone();
    for _ in 0..if cfg!(miri) { 1 } else { 40 } {
        let all = rent(&pool, LARGE, 2);
        let (tell, told) = mpsc::channel();
        let threads: Vec<_> = (0..8)
            .map(|index| {
                let (pool, tell) = (pool.clone(), tell.clone());
                thread::spawn(move || exhaust(&pool, index, &tell))
            })
            .collect();
        while budget.waiting() < 8 {
            assert!(!threads.iter().any(|thread| thread.is_finished()));
            thread::yield_now();
        }
        drop(all);
        for thread in threads {
            thread.join().unwrap();
        }
        drop(tell);
        // Every thread got what it waited for, and was refused before.
        assert_eq!(told.iter().sum::<usize>(), 8);
        assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
        assert_eq!(pool.stats().bytes_in_use(), 0);
    }
    assert_eq!(budget.peak(), 2 * LARGE);
    nothing_is_left(&pool);
}

fn exhaust(pool: &GlobalPool, index: usize, tell: &mpsc::Sender<usize>) {
    let request = [1, LARGE, 2 * LARGE, SMALL][index % 4];
    assert!(pool.rent(1).is_err(), "no room, or somebody waits");
    let permit = pool.permit_timeout(request, Duration::MAX).unwrap();
    let mut blocks = Vec::new();
    permit.provide(&mut |block| blocks.push(block)).unwrap();
    // More, as long as there is any, and not waiting while holding.
    let mut refused = 0;
    for _ in 0..rounds(50) {
        match pool.rent(SIZES[blocks.len() % 4]) {
            Ok(block) => blocks.push(block),
            Err(ReserveError::OverBudget { in_use, limit, .. }) => {
                assert!(in_use <= limit);
                refused += 1;
                blocks.truncate(refused % 3);
            }
            Err(other) => panic!("{other}"),
        }
    }
    tell.send(1).unwrap();
}
