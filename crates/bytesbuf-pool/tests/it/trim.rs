//! Memory goes back.

use std::sync::mpsc;
use std::thread;

use bytesbuf_pool::GlobalPool;

use crate::util::{LARGE, SIZES, SMALL, class_stats, rent, rounds};

/// Whether the magazines of idle threads can be reached.
const REACHES: bool = cfg!(any(target_os = "linux", miri));

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
