//! Blocks that move between threads, and threads that come and go.

use std::sync::mpsc;
use std::thread;

use bytesbuf_pool::GlobalPool;

use crate::util::{SMALL, class_stats, rent, rounds};

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn released_on_a_thread_that_never_rented() {
    let pool = GlobalPool::new();
    let blocks = rent(&pool, SMALL, 3);
    thread::scope(|scope| {
        // Joined by hand: a scope does not wait for thread-local destructors.
        let other = scope.spawn(|| {
            drop(blocks);
            assert_eq!(pool.stats().thread_caches(), 2);
        });
        other.join().unwrap();
    });
    let stats = class_stats(&pool, SMALL);
    assert_eq!((stats.blocks_in_use(), stats.blocks_cached()), (0, 3));
    // The thread has ended; what it had is for us.
    drop(rent(&pool, SMALL, 3));
    assert_eq!(class_stats(&pool, SMALL).high_water(), 3);
}

#[test]
fn a_stream_from_thread_to_thread_does_not_allocate_for_ever() {
    let pool = GlobalPool::new();
    let batch = rounds(200);
    let (there, inbox) = mpsc::sync_channel(1);
    let (back, done) = mpsc::sync_channel(1);
    let other = thread::spawn(move || {
        for blocks in inbox {
            drop::<Vec<_>>(blocks);
            back.send(()).unwrap();
        }
    });
    for _ in 0..rounds(100) {
        there.send(rent(&pool, SMALL, batch)).unwrap();
        done.recv().unwrap();
    }
    drop(there);
    other.join().unwrap();
    let stats = class_stats(&pool, SMALL);
    assert_eq!(stats.blocks_in_use(), 0);
    if !cfg!(miri) {
        // Two magazines may rest with the other thread.
        assert!(stats.high_water() <= batch + 2 * 64, "{stats:?}");
    }
}

#[test]
fn short_lived_threads_strand_nothing() {
    let pool = GlobalPool::new();
    for _ in 0..rounds(1000) {
        thread::scope(|scope| {
            // Joined by hand: a scope does not wait for thread-local destructors.
            let short = scope.spawn(|| drop(rent(&pool, SMALL, 3)));
            short.join().unwrap();
        });
    }
    let stats = pool.stats();
    assert_eq!((stats.bytes_in_use(), stats.thread_caches()), (0, 0));
    assert!(
        stats.bytes_cached() <= 3 * 1024,
        "one thread at a time: {stats}"
    );
    assert!(class_stats(&pool, SMALL).high_water() <= 3);
}

#[test]
fn short_lived_threads_that_only_release_strand_nothing() {
    let pool = GlobalPool::new();
    for _ in 0..rounds(300) {
        let block = pool.rent(SMALL).unwrap();
        thread::spawn(move || drop(block)).join().unwrap();
    }
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), 0);
    assert!(stats.bytes_cached() <= 1024, "{stats}");
}

#[test]
fn many_threads_at_once_conserve_blocks() {
    let pool = GlobalPool::new();
    let threads = 4;
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..threads).map(|_| mpsc::channel()).unzip();
    thread::scope(|scope| {
        for (index, inbox) in inboxes.into_iter().enumerate() {
            let (pool, next) = (pool.clone(), senders[(index + 1) % threads].clone());
            scope.spawn(move || {
                for round in 0..rounds(300) {
                    // The neighbour may have finished already.
                    let _ = next.send(rent(&pool, SMALL, round % 70));
                    drop(inbox.try_recv());
                }
            });
        }
        drop(senders);
    });
    let stats = class_stats(&pool, SMALL);
    assert_eq!(stats.blocks_in_use(), 0);
    assert!(stats.blocks_cached() <= stats.high_water());
}
