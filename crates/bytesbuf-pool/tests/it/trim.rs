//! Memory goes back.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytesbuf_pool::GlobalPool;

use crate::util::{LARGE, REACHES, SIZES, SMALL, class_stats, rent, rounds};

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn all_that_is_cached_goes_back() {
    let pool = GlobalPool::new();
    for size in SIZES {
        drop(rent(&pool, size, rounds(300)));
    }
    let before = pool.stats();
    assert!(before.bytes_cached() > 0);
    let freed = pool.trim();
    let after = pool.stats();
    if REACHES {
        assert_eq!((after.bytes_cached(), after.bytes_allocated()), (0, 0));
        assert_eq!(freed, before.bytes_allocated());
    }
    assert_eq!(pool.trim(), 0);
    drop(rent(&pool, SMALL, 3));
}

/// A slab goes back when all its blocks have, in whatever order they do.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn a_block_in_use_keeps_its_slab_alone() {
    let pool = GlobalPool::new();
    let mut blocks = rent(&pool, LARGE, if cfg!(miri) { 12 } else { 21 });
    let kept = blocks.swap_remove(5);
    drop(blocks);
    assert_eq!(class_stats(&pool, LARGE).slabs(), 3);
    pool.trim();
    if REACHES {
        assert_eq!(class_stats(&pool, LARGE).slabs(), 1);
    }
    drop(kept);
    pool.trim();
    if REACHES {
        assert_eq!(pool.stats().bytes_allocated(), 0);
    }
}

/// What is free in a slab that has to stay is used before another is allocated.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn free_blocks_of_kept_slabs_are_rented_first() {
    let pool = GlobalPool::new();
    let mut blocks = rent(&pool, LARGE, 4);
    blocks.truncate(1);
    pool.trim();
    blocks.extend(rent(&pool, LARGE, 3));
    assert_eq!(class_stats(&pool, LARGE).slabs(), 1);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn magazines_of_an_idle_thread_are_reached() {
    let pool = GlobalPool::new();
    let (ready, is_ready) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let idle = {
        let pool = pool.clone();
        thread::spawn(move || {
            drop(rent(&pool, SMALL, 3));
            ready.send(()).unwrap();
            wait.recv().unwrap();
            // What it had is gone; it goes on.
            drop(rent(&pool, SMALL, 3));
        })
    };
    is_ready.recv().unwrap();
    assert_eq!(pool.stats().bytes_cached(), 3 * SMALL);
    pool.trim();
    if REACHES {
        assert_eq!(pool.stats().bytes_allocated(), 0);
    }
    go.send(()).unwrap();
    idle.join().unwrap();
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

#[test]
fn a_closed_pool_takes_what_idle_threads_keep() {
    let pool = GlobalPool::new();
    let kept = pool.rent(SMALL).unwrap();
    let (ready, is_ready) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let idle = {
        let pool = pool.clone();
        thread::spawn(move || {
            drop(rent(&pool, SMALL, 3));
            drop(pool);
            ready.send(()).unwrap();
            wait.recv().unwrap();
        })
    };
    is_ready.recv().unwrap();
    drop(pool);
    drop(kept);
    go.send(()).unwrap();
    idle.join().unwrap();
}

#[test]
fn trim_to_leaves_about_that_much() {
    let pool = GlobalPool::new();
    drop(rent(&pool, LARGE, if cfg!(miri) { 8 } else { 200 }));
    let cached = pool.stats().bytes_cached();
    pool.trim_to(cached);
    assert_eq!(pool.stats().bytes_cached(), cached, "nothing to do");
    pool.trim_to(cached / 2);
    let left = pool.stats().bytes_cached();
    assert!(left <= cached / 2, "{left} of {cached}");
    assert!(
        left + (512 << 10) >= cached / 2 || cfg!(miri),
        "{left} of {cached}"
    );
    pool.trim_to(0);
    if REACHES {
        assert_eq!(pool.stats().bytes_cached(), 0);
    }
}

/// The first tick sees what was used since the pool was made, the next ones what
/// was not used since.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn what_is_not_used_decays() {
    let pool = GlobalPool::builder().idle_decay(None).build().unwrap();
    drop(rent(&pool, SMALL, if cfg!(miri) { 8 } else { 1000 }));
    pool.maintain();
    assert!(pool.stats().bytes_cached() > 0);
    // In use: this thread's magazines stay.
    drop(rent(&pool, SMALL, 2));
    pool.maintain();
    assert!(pool.stats().bytes_cached() >= 2 * SMALL);
    pool.maintain();
    pool.maintain();
    if REACHES {
        assert_eq!(pool.stats().bytes_allocated(), 0);
    }
}

/// Threads at work while another trims all the time: every block is in one place.
#[test]
fn trimming_while_threads_rent_and_release() {
    let pool = GlobalPool::new();
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..3).map(|_| mpsc::channel()).unzip();
    thread::scope(|scope| {
        let workers: Vec<_> = inboxes
            .into_iter()
            .enumerate()
            .map(|(index, inbox)| {
                let (pool, next) = (pool.clone(), senders[(index + 1) % 3].clone());
                scope.spawn(move || {
                    for round in 0..rounds(2000) {
                        let _ = next.send(rent(&pool, SMALL, round % 9));
                        drop(inbox.try_recv());
                    }
                })
            })
            .collect();
        drop(senders);
        while workers.iter().any(|worker| !worker.is_finished()) {
            pool.trim();
            pool.maintain();
            thread::yield_now();
        }
        for worker in workers {
            worker.join().unwrap();
        }
    });
    assert_eq!(pool.stats().bytes_in_use(), 0);
    pool.trim();
    assert_eq!(pool.stats().bytes_allocated(), 0);
}

/// Blocks that are a slab each, so that what is cached and what goes back to the
/// allocator are nearly the same.
const HUGE: [usize; 2] = [1 << 19, 1 << 20];

fn huge() -> GlobalPool {
    GlobalPool::builder()
        .size_classes(HUGE.map(|size| size as u32))
        .max_cached_bytes(64 << 20)
        .idle_decay(None)
        .build()
        .unwrap()
}

/// Rents and releases so many blocks of both sizes. Two of each stay with the thread.
fn cache_huge(pool: &GlobalPool, blocks: usize) {
    for size in HUGE {
        drop(rent(pool, size, blocks));
    }
}

/// Trims down to so many bytes, and checks what is said about it. Returns free blocks:
/// small ones and large ones in the depot, and those with threads.
#[track_caller]
fn trim_huge_to(pool: &GlobalPool, max_bytes: usize) -> (usize, usize, usize) {
    let before = pool.stats();
    let freed = pool.trim_to(max_bytes);
    let after = pool.stats();
    let went = before.bytes_cached() - after.bytes_cached();
    assert_eq!(freed, before.bytes_allocated() - after.bytes_allocated());
    assert!(
        freed >= went && freed <= went + (went >> 8),
        "{freed} {went}"
    );
    let [small, large] = HUGE.map(|size| class_stats(pool, size));
    (
        small.blocks_cached_in_depot(),
        large.blocks_cached_in_depot(),
        small.blocks_cached_by_threads() + large.blocks_cached_by_threads(),
    )
}

#[test]
#[cfg_attr(miri, ignore = "slabs have four blocks there")]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn trim_to_takes_from_the_depot_first_and_large_blocks_first() {
    let pool = huge();
    cache_huge(&pool, 6);
    let [small, large] = HUGE;
    let all = 6 * (small + large);
    assert_eq!(trim_huge_to(&pool, all), (4, 4, 4));
    assert_eq!(trim_huge_to(&pool, all - 1), (4, 3, 4));
    assert_eq!(trim_huge_to(&pool, all - 3 * large), (4, 1, 4));
    let threads = 2 * (small + large);
    assert_eq!(trim_huge_to(&pool, threads + 3 * small), (3, 0, 4));
    assert_eq!(trim_huge_to(&pool, threads), (0, 0, 4));
    // Of threads, too, no more than it takes.
    let (_, _, left) = trim_huge_to(&pool, threads - 1);
    if REACHES {
        assert_eq!(left, 3);
        assert_eq!(trim_huge_to(&pool, 0), (0, 0, 0));
    }
}

/// The threads' magazines have more than one block here.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn trim_to_takes_as_many_magazines_as_it_needs() {
    let pool = GlobalPool::builder()
        .size_classes([1024])
        .magazine_blocks(8)
        .build()
        .unwrap();
    drop(rent(&pool, SMALL, 40));
    let cached = || {
        let class = class_stats(&pool, SMALL);
        let depot = class.blocks_cached_in_depot();
        (depot, class.blocks_cached_by_threads())
    };
    assert_eq!(cached(), (24, 16));
    // Half a magazine, one and a half.
    for (max_blocks, left) in [(36, (16, 16)), (20, (0, 16)), (16, (0, 16))] {
        pool.trim_to(max_blocks * SMALL);
        assert_eq!(cached(), left, "{max_blocks}");
    }
    if REACHES {
        pool.trim_to(12 * SMALL);
        assert_eq!(cached(), (0, 8));
        pool.trim_to(7 * SMALL);
        assert_eq!(cached(), (0, 0));
    }
}

/// What `maintain` says that it gave back has gone: of the depot, what nobody has
/// needed, and all of a thread that has done nothing.
#[test]
#[cfg_attr(miri, ignore = "slabs have four blocks there")]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn what_decays_is_what_went_back() {
    let pool = huge();
    let maintain = || {
        let before = pool.stats().bytes_allocated();
        let freed = pool.maintain();
        assert_eq!(pool.stats().bytes_allocated() + freed, before);
        freed
    };
    cache_huge(&pool, 6);
    assert_eq!(maintain(), 0, "all of it has just been used");
    // Three of the large ones in the depot are needed once more.
    drop(rent(&pool, HUGE[1], 5));
    let freed = maintain();
    let expected = 4 * HUGE[0] + HUGE[1];
    assert!(
        freed >= expected && freed <= expected + (expected >> 8),
        "{freed}"
    );
    drop(rent(&pool, HUGE[0], 1));
    let freed = maintain();
    assert!(
        freed >= 3 * HUGE[1] && freed <= 3 * HUGE[1] + (1 << 15),
        "{freed}"
    );
    assert_eq!(pool.stats().bytes_cached(), 2 * (HUGE[0] + HUGE[1]));
    maintain();
    if REACHES {
        assert_eq!(pool.stats().bytes_allocated(), 0);
    }
}

/// Without `maintain`: threads that exchange magazines with the depot look at the clock
/// every so often.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn a_pool_in_use_gives_back_by_itself_what_it_does_not_use() {
    let never = None;
    let at_once = Some(Duration::ZERO);
    let in_an_hour = Some(Duration::from_secs(3600));
    for (decay, stays) in [(never, true), (in_an_hour, true), (at_once, false)] {
        let pool = GlobalPool::builder()
            .magazine_blocks(2)
            .idle_decay(decay)
            .build()
            .unwrap();
        let exchange = || {
            for _ in 0..40 {
                drop(rent(&pool, SMALL, 8));
            }
        };
        // Whatever the clock says at the beginning is over.
        exchange();
        drop(rent(&pool, LARGE, 4));
        assert_ne!(class_stats(&pool, LARGE).blocks_cached_in_depot(), 0);
        exchange();
        let left = class_stats(&pool, LARGE).blocks_cached_in_depot();
        assert_eq!(left > 0, stays, "{decay:?}: {left}");
    }
}

/// The clock is asked for at one visit to the depot out of many.
#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn a_few_visits_to_the_depot_give_nothing_back() {
    let pool = GlobalPool::builder()
        .magazine_blocks(2)
        .idle_decay(Some(Duration::ZERO))
        .build()
        .unwrap();
    drop(rent(&pool, LARGE, 4));
    let before = class_stats(&pool, LARGE).blocks_cached_in_depot();
    assert_ne!(before, 0);
    for _ in 0..2 {
        drop(rent(&pool, SMALL, 8));
    }
    let after = class_stats(&pool, LARGE).blocks_cached_in_depot();
    assert_eq!(after, before);
}
