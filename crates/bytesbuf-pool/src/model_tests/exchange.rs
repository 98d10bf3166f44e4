//! Blocks that travel from thread to thread through the depot.

use super::door::{Cache, assert_in_use, model, thread};
use crate::GlobalPool;

/// A block that was written and released there may be rented and written here.
#[test]
fn rent_here_release_there() {
    model(|| {
        let pool = GlobalPool::new();
        let here = Cache::of(&pool);
        let block = here.rent();
        let other = {
            let pool = pool.clone();
            thread::spawn(move || {
                let there = Cache::of(&pool);
                there.release(block);
            })
        };
        let block = here.rent();
        here.release(block);
        other.join().unwrap();
        assert_in_use(&pool, 0);
        let block = here.rent();
        assert_in_use(&pool, 1);
        here.release(block);
        drop(here);
        assert_in_use(&pool, 0);
    });
}

/// Magazines hold one block under loom: the third release in a row stores one in
/// the depot, the next exchange overflows it.
#[test]
fn exchange_with_the_depot_from_two_threads() {
    model(|| {
        let pool = GlobalPool::new();
        let here = Cache::of(&pool);
        let blocks = [here.rent(), here.rent(), here.rent(), here.rent()];
        let other = {
            let pool = pool.clone();
            thread::spawn(move || {
                let there = Cache::of(&pool);
                for block in blocks {
                    there.release(block);
                }
                // Keep it: what the depot has is for the other thread.
                let block = there.rent();
                there.release(block);
            })
        };
        let (one, two) = (here.rent(), here.rent());
        here.release(one);
        here.release(two);
        other.join().unwrap();
        drop(here);
        assert_in_use(&pool, 0);
    });
}

/// A thread that ends stores its magazines while another takes one.
#[test]
fn thread_exit_while_renting_elsewhere() {
    model(|| {
        let pool = GlobalPool::new();
        let here = Cache::of(&pool);
        let block = here.rent();
        here.release(block);
        let other = {
            let pool = pool.clone();
            thread::spawn(move || {
                let there = Cache::of(&pool);
                let block = there.rent();
                there.release(block);
            })
        };
        drop(here);
        other.join().unwrap();
        assert_in_use(&pool, 0);
    });
}

/// Figures are read through the list of caches while one joins and leaves it.
#[test]
fn statistics_while_a_thread_comes_and_goes() {
    model(|| {
        let pool = GlobalPool::new();
        let other = {
            let pool = pool.clone();
            thread::spawn(move || {
                let there = Cache::of(&pool);
                let block = there.rent();
                there.release(block);
            })
        };
        assert!(pool.stats().bytes_in_use() <= 1024);
        other.join().unwrap();
        assert_in_use(&pool, 0);
        assert_eq!(pool.stats().bytes_cached(), 1024);
        assert_eq!(pool.stats().thread_caches(), 0);
    });
}
