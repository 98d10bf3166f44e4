//! Memory is given back while threads rent, release and end.

use shuttle::thread;

use super::door::{BLOCK, InUse, Shelf, assert_conserved, at_once, check};
use crate::GlobalPool;

fn pool() -> GlobalPool {
    let builder = GlobalPool::builder().max_cached_bytes(2 * BLOCK);
    builder.build().expect("valid")
}

fn rent(pool: &GlobalPool) -> InUse {
    InUse::new(pool.rent(BLOCK).expect("memory"))
}

/// Leaves blocks in its magazines and, when it ends, in the depot.
fn come_and_go(pool: &GlobalPool) {
    let blocks = [rent(pool), rent(pool)];
    drop(blocks);
    drop(rent(pool));
}

#[test]
fn threads_end_while_two_others_trim() {
    check(|| {
        let pool = pool();
        let handles = [(); 4].map(|()| pool.clone());
        let [one, two, three, four] = handles;
        at_once([
            Box::new(move || come_and_go(&one)),
            Box::new(move || come_and_go(&two)),
            Box::new(move || {
                three.trim();
                three.trim_to(BLOCK);
            }),
            Box::new(move || {
                four.maintain();
                four.trim();
            }),
        ]);
        assert_conserved(&pool, &[]);
    });
}

/// What one thread releases another one rents, while a third trims, and figures are
/// read.
#[test]
fn blocks_travel_while_another_trims() {
    check(|| {
        let pool = pool();
        let shelf = Shelf::default();
        let producer = |pool: GlobalPool, shelf: Shelf| {
            move || {
                for _ in 0..3 {
                    shelf.put(rent(&pool));
                }
            }
        };
        let consumer = |pool: GlobalPool, shelf: Shelf| {
            move || {
                for _ in 0..4 {
                    drop(shelf.take());
                    thread::yield_now();
                }
                drop(rent(&pool));
            }
        };
        let trimmer = pool.clone();
        at_once([
            Box::new(producer(pool.clone(), shelf.clone())),
            Box::new(consumer(pool.clone(), shelf.clone())),
            Box::new(consumer(pool.clone(), shelf.clone())),
            Box::new(move || {
                trimmer.trim_to(0);
                assert!(trimmer.stats().bytes_in_use() <= 4 * BLOCK);
                trimmer.trim();
            }),
        ]);
        while let Some(block) = shelf.take() {
            thread::spawn(move || drop(block)).join().unwrap();
        }
        assert_conserved(&pool, &[]);
    });
}

shuttle::thread_local! {
    /// Destroyed before the thread's cache, if it is used before it, and else after.
    static LAST: std::cell::RefCell<Option<InUse>> = std::cell::RefCell::new(None);
}

fn keep(block: InUse) {
    LAST.with(|last| last.replace(Some(block)));
}

/// Blocks that come back from thread-locals, with the cache still there or not.
#[test]
fn threads_release_while_being_torn_down_and_another_trims() {
    check(|| {
        let pool = pool();
        let handles = [(); 4].map(|()| pool.clone());
        let [one, two, three, four] = handles;
        at_once([
            Box::new(move || {
                LAST.with(|_| ());
                keep(rent(&one));
            }),
            Box::new(move || keep(rent(&two))),
            Box::new(move || come_and_go(&three)),
            Box::new(move || {
                four.trim();
                four.trim();
            }),
        ]);
        assert_conserved(&pool, &[]);
    });
}
