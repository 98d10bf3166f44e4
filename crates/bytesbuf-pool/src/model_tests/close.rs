//! The last handle goes while blocks and caches are in use elsewhere. Mostly nothing
//! to assert at the end: a leak or a double free stops the engine.

use std::cell::Cell;

use super::door::{Cache, model, thread};
use crate::GlobalPool;
use crate::closed_pools::ClosedPools;
use crate::lease::release_uncached;
use crate::sync::Arc;

#[test]
fn last_handle_here_last_release_there() {
    model(|| {
        let pool = GlobalPool::new();
        let block = pool.rent(1).unwrap();
        let other = thread::spawn(move || drop(block));
        drop(pool);
        other.join().unwrap();
    });
}

#[test]
fn last_handle_here_release_into_a_new_cache_there() {
    model(|| {
        let pool = GlobalPool::new();
        let here = Cache::of(&pool);
        let block = here.rent();
        let other = thread::spawn(move || match Cache::of_block(&block) {
            Some(there) => there.release(block),
            None => release_uncached(block),
        });
        drop(here);
        drop(pool);
        other.join().unwrap();
    });
}

/// The cache there stores its magazine in the depot, possibly after the closing
/// thread has drained it.
#[test]
fn last_handle_here_thread_exit_there() {
    model(|| {
        let pool = GlobalPool::new();
        let other = {
            let here = Cache::of(&pool);
            let block = here.rent();
            thread::spawn(move || {
                let Some(there) = Cache::of_block(&block) else {
                    return release_uncached(block);
                };
                there.release(block);
                let block = there.rent();
                drop(there);
                release_uncached(block);
            })
        };
        drop(pool);
        other.join().unwrap();
    });
}

#[test]
fn two_handles_go_at_once() {
    model(|| {
        let pool = GlobalPool::new();
        let cache = Cache::of(&pool);
        let block = cache.rent();
        cache.release(block);
        drop(cache);
        let other = {
            let pool = pool.clone();
            thread::spawn(move || drop(pool))
        };
        drop(pool);
        other.join().unwrap();
    });
}

/// A block that is still lent keeps the shared object, not the pool's free blocks.
#[test]
fn blocks_outlive_handles_and_caches() {
    model(|| {
        let pool = GlobalPool::new();
        let here = Cache::of(&pool);
        let (one, two) = (here.rent(), here.rent());
        drop(pool);
        here.release(one);
        drop(here);
        let other = thread::spawn(move || release_uncached(two));
        other.join().unwrap();
    });
}

/// A thread that hears of a closed pool finds out which of its caches has to go: it
/// does not look again before the next one is closed.
#[test]
fn close_here_look_for_retired_caches_there() {
    model(|| {
        let closed_pools = Arc::new(ClosedPools::new());
        let pool = GlobalPool::new();
        let there = Cache::of(&pool);
        let closer = {
            let closed_pools = Arc::clone(&closed_pools);
            thread::spawn(move || {
                // What dropping the last handle does, but for the trim: its barrier is
                // not everywhere, and must not be needed.
                pool.shared().registry().close();
                closed_pools.announce();
                drop(pool);
            })
        };
        // No yield before: loom would not show what was stored before it any more.
        if closed_pools.grew(&Cell::new(0)) {
            assert!(there.is_retired(), "the order comes before the number");
        }
        closer.join().unwrap();
    });
}
