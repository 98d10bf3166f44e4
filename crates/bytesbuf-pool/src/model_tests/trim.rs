//! One thread trims while another uses its cache. Each block is written where it
//! is rented and released: whoever got it by a race would be caught.

use super::door::{Cache, assert_in_use, model, thread};
use crate::GlobalPool;

/// The magazines are reached, or the owner is inside and keeps them; never both.
#[test]
fn trim_here_rent_and_release_there() {
    model(|| {
        let pool = GlobalPool::new();
        let other = {
            let pool = pool.clone();
            thread::spawn(move || {
                let there = Cache::of(&pool);
                let block = there.rent();
                there.release(block);
                let block = there.rent_fast();
                if let Some(block) = block {
                    there.release(block);
                }
            })
        };
        thread::yield_now();
        pool.trim();
        other.join().unwrap();
        assert_in_use(&pool, 0);
    });
}

/// Only the fast paths of a cache that has a block, against a trim of it.
#[test]
fn trim_here_fast_paths_there() {
    model(|| {
        let pool = GlobalPool::new();
        let there = Cache::of(&pool);
        let block = there.rent();
        there.release(block);
        let trimmer = {
            let pool = pool.clone();
            thread::spawn(move || pool.trim())
        };
        if let Some(block) = there.rent_fast() {
            if let Err(block) = there.release_fast(block) {
                there.release(block);
            }
        }
        trimmer.join().unwrap();
        drop(there);
        assert_in_use(&pool, 0);
        pool.trim();
        assert_eq!(pool.stats().bytes_allocated(), 0, "all slabs are idle");
    });
}

/// The cache goes while the list it is on is walked.
#[test]
fn trim_here_thread_exit_there() {
    model(|| {
        let pool = GlobalPool::new();
        let there = Cache::of(&pool);
        let block = there.rent();
        there.release(block);
        let trimmer = {
            let pool = pool.clone();
            thread::spawn(move || pool.trim())
        };
        drop(there);
        trimmer.join().unwrap();
        assert_in_use(&pool, 0);
        pool.trim();
        assert_eq!(pool.stats().bytes_allocated(), 0, "all slabs are idle");
    });
}

/// The last handle goes, and with it the magazines of a cache in use.
#[test]
fn close_here_release_there() {
    model(|| {
        let pool = GlobalPool::new();
        let there = Cache::of(&pool);
        let (one, two) = (there.rent(), there.rent());
        there.release(one);
        let closer = thread::spawn(move || drop(pool));
        there.release(two);
        drop(there);
        closer.join().unwrap();
    });
}

/// Two threads trim at once.
#[test]
fn two_trims_and_an_owner() {
    model(|| {
        let pool = GlobalPool::new();
        let there = Cache::of(&pool);
        let block = there.rent();
        there.release(block);
        let trimmer = {
            let pool = pool.clone();
            thread::spawn(move || pool.maintain())
        };
        pool.trim();
        if let Some(block) = there.rent_fast() {
            there.release(block);
        }
        trimmer.join().unwrap();
        drop(there);
        assert_in_use(&pool, 0);
    });
}

/// Without this the other scenarios could pass because nobody is ever reached.
#[test]
fn an_owner_that_is_outside_is_reached() {
    model(|| {
        let pool = GlobalPool::new();
        let there = Cache::of(&pool);
        let block = there.rent();
        there.release(block);
        pool.trim();
        let reached = pool.stats().bytes_allocated() == 0;
        let reaches = cfg!(any(target_os = "linux", bytesbuf_loom, miri));
        assert_eq!(reached, reaches, "where there is a heavy barrier");
        let block = there.rent();
        there.release(block);
        assert_in_use(&pool, 0);
    });
}

/// What who trims could not reach goes at the owner's next slow path, once.
#[test]
fn an_order_to_flush_is_obeyed_once() {
    model(|| {
        let pool = GlobalPool::new();
        let here = Cache::of(&pool);
        let (one, two) = (here.rent(), here.rent());
        here.release(one);
        here.order_flush();
        assert!(here.rent_fast().is_none(), "not before it is obeyed");
        here.release(two);
        assert_eq!(pool.stats().bytes_cached(), 1024, "what was there has gone");
        let two = here.rent_fast().expect("it has been obeyed");
        assert!(here.release_fast(two).is_ok());
        assert_in_use(&pool, 0);
    });
}

/// Who is inside is told to flush, unless enough has come together before.
#[test]
fn nobody_is_told_to_flush_for_what_is_there_already() {
    model(|| {
        let pool = GlobalPool::new();
        // The last that has come is the first that is reached.
        let (second, first) = (Cache::of(&pool), Cache::of(&pool));
        for cache in [&first, &second] {
            let block = cache.rent();
            cache.release(block);
        }
        let cached = pool.stats().bytes_cached();
        assert_eq!(cached, 2048, "a block each");

        second.while_inside(|| pool.trim_to(cached / 2));
        let reaches = cfg!(any(target_os = "linux", bytesbuf_loom, miri));
        let block = second.rent_fast();
        assert_eq!(block.is_some(), reaches, "where there is a heavy barrier");
        if let Some(block) = block {
            assert!(first.rent_fast().is_none(), "one was enough");
            second.release(block);
            second.while_inside(|| pool.trim_to(0));
            assert!(second.rent_fast().is_none(), "it is told");
        }
        assert_in_use(&pool, 0);
    });
}
