//! Use of the pool in destructors of thread-locals, before and after the pool's
//! own has run. (Destructors run in the order of first use or in the reverse of
//! it, as the platform likes: each scenario is tried both ways.)

use std::cell::RefCell;
use std::thread;

use bytesbuf_core::Block;
use bytesbuf_pool::{Budget, GlobalPool};

use crate::util::{CACHES, SIZES, SMALL, rent};

/// What a thread leaves behind: its destructor releases, rents and releases.
struct Estate {
    pool: Option<GlobalPool>,
    blocks: Vec<Block>,
}

impl Drop for Estate {
    fn drop(&mut self) {
        self.blocks.truncate(self.blocks.len() / 2);
        if let Some(pool) = &self.pool {
            for class in SIZES {
                drop(rent(pool, class, 3));
            }
            let _ = pool.stats();
        }
        // The pool goes first, then the rest of the blocks.
    }
}

thread_local! {
    static ESTATE: RefCell<Estate> = const {
        RefCell::new(Estate { pool: None, blocks: Vec::new() })
    };
}

fn leave(pool: &GlobalPool, blocks: Vec<Block>) {
    ESTATE.with_borrow_mut(|estate| {
        estate.pool = Some(pool.clone());
        estate.blocks = blocks;
    });
}

#[derive(Clone, Copy, Debug)]
enum First {
    Estate,
    Pool,
    /// The thread has no cache before its teardown.
    EstateAlone,
}

const ORDERS: [First; 3] = [First::Estate, First::Pool, First::EstateAlone];

fn run(order: First, pool: &GlobalPool, sent: Vec<Block>) {
    match order {
        First::Estate => {
            leave(pool, sent);
            drop(rent(pool, SMALL, 5));
        }
        First::Pool => {
            drop(rent(pool, SMALL, 5));
            leave(pool, sent);
        }
        First::EstateAlone => leave(pool, sent),
    }
}

#[test]
fn blocks_and_pool_in_a_thread_local() {
    for order in ORDERS {
        let pool = GlobalPool::new();
        let sent = rent(&pool, SMALL, 8);
        {
            let pool = pool.clone();
            thread::spawn(move || run(order, &pool, sent))
                .join()
                .unwrap();
        }
        let stats = pool.stats();
        assert_eq!(stats.bytes_in_use(), 0, "{order:?}");
        assert_eq!(
            stats.thread_caches(),
            usize::from(CACHES),
            "{order:?}: this thread alone has a cache"
        );
    }
}

/// The thread-local has the last handle: the pool is closed during teardown.
#[test]
fn the_last_handle_in_a_thread_local() {
    for order in ORDERS {
        // Knows of each block that is out, and outlives the pool.
        let budget = Budget::new(1 << 20);
        let pool = GlobalPool::builder().budget(&budget).build().unwrap();
        let mut sent = rent(&pool, SMALL, 8);
        let kept = sent.split_off(6);
        thread::spawn(move || run(order, &pool, sent))
            .join()
            .unwrap();
        assert_eq!(budget.in_use(), 2 * SMALL, "{order:?}: those that are kept");
        drop(kept);
        assert_eq!(budget.in_use(), 0, "{order:?}");
    }
}
