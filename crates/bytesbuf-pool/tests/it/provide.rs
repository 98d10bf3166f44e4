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
