//! The pool as a provider of core.

use bytesbuf_core::{BlockProvider, ReserveError};
use bytesbuf_pool::GlobalPool;

use crate::util::{LARGE, class_stats};

fn sizes(pool: &GlobalPool, request: usize) -> Vec<u32> {
    let mut sizes = Vec::new();
    pool.provide(request, &mut |block| sizes.push(block.len().get()))
        .unwrap();
    sizes
}

#[test]
fn provides_what_the_request_needs() {
    let pool = GlobalPool::new();
    assert_eq!(sizes(&pool, 0), []);
    assert_eq!(sizes(&pool, 1), [1024]);
    assert_eq!(sizes(&pool, 5000), [16_384]);
    assert_eq!(sizes(&pool, 150_000), [65_536; 3]);
    assert_eq!(pool.stats().bytes_in_use(), 0, "the sink dropped them");
}

#[test]
fn hostile_sizes_are_refused_before_anything_is_rented() {
    let pool = GlobalPool::new();
    const MAX: usize = isize::MAX as usize;
    for request in [usize::MAX, usize::MAX - 1, MAX + 2, MAX + 1] {
        let refused = pool.provide(request, &mut |_| panic!("nothing may be rented"));
        match refused.unwrap_err() {
            ReserveError::TooLarge { requested, max } => {
                assert_eq!((requested, max), (request, MAX));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(class_stats(&pool, LARGE).rentals(), 0);
}

#[test]
fn the_sink_may_use_the_pool() {
    let pool = GlobalPool::new();
    let mut kept = Vec::new();
    pool.provide(200_000, &mut |block| {
        drop(block);
        kept.push(pool.rent(LARGE).unwrap());
    })
    .unwrap();
    assert_eq!(class_stats(&pool, LARGE).blocks_in_use(), 4);
    drop(kept);
    assert_eq!(class_stats(&pool, LARGE).blocks_in_use(), 0);
}

#[test]
fn a_sink_that_panics_loses_nothing() {
    let pool = GlobalPool::new();
    let attempt = std::panic::catch_unwind(|| {
        pool.provide(200_000, &mut |_| panic!("on purpose"))
            .unwrap();
    });
    assert!(attempt.is_err());
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

/// What a request is charged, and what is rented for it.
#[test]
fn the_footprint_of_a_request_is_that_of_its_blocks() {
    let pool = GlobalPool::new();
    for request in [0, 1, 1024, 1025, 16_384, LARGE, LARGE + 1, 3 * LARGE] {
        let rented: u32 = sizes(&pool, request).iter().sum();
        assert_eq!(
            pool.footprint(request).unwrap(),
            rented as usize,
            "{request}"
        );
    }
    let most = isize::MAX as usize;
    assert_eq!(pool.footprint(most).unwrap(), most + 1, "whole blocks");
    match pool.footprint(most + 1).unwrap_err() {
        ReserveError::TooLarge { requested, max } => {
            assert_eq!((requested, max), (most + 1, most));
        }
        other => panic!("{other}"),
    }
}
