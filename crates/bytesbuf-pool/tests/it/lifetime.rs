//! Blocks and handles in every order.
#![expect(unsafe_code, reason = "reads and writes blocks")]

use std::sync::mpsc;
use std::thread;

use bytesbuf_core::{Block, BlockRefBatch};
use bytesbuf_pool::GlobalPool;

use crate::util::{SMALL, rent, rounds};

fn write(block: Block, value: u8) -> (*const u8, BlockRefBatch) {
    let (memory, _, batch) = block.open();
    let byte = memory.cast::<u8>();
    // SAFETY: an opened block is the caller's to write.
    unsafe { byte.write(value) };
    (byte.as_ptr(), batch)
}

#[test]
fn blocks_outlive_their_pool() {
    let pool = GlobalPool::new();
    let blocks = rent(&pool, SMALL, 3);
    drop(rent(&pool, SMALL, 1));
    drop(pool);
    let views: Vec<_> = (0..)
        .zip(blocks)
        .map(|(n, block)| write(block, n))
        .collect();
    for (n, (byte, batch)) in (0..).zip(views) {
        // SAFETY: the batch keeps the block; nobody writes any more.
        assert_eq!(unsafe { byte.read() }, n);
        drop(batch);
    }
}

#[test]
fn blocks_outlive_their_pool_on_another_thread() {
    let pool = GlobalPool::new();
    let blocks = rent(&pool, SMALL, 3);
    let (go, wait) = mpsc::channel();
    let other = thread::spawn(move || {
        wait.recv().unwrap();
        for block in blocks {
            drop(write(block, 1));
        }
    });
    drop(pool);
    go.send(()).unwrap();
    other.join().unwrap();
}

/// The other thread has a cache of the pool when the last handle goes here. It
/// notices at its next slow path, or when it ends.
#[test]
fn a_pool_closed_here_while_cached_there() {
    let pool = GlobalPool::new();
    let (ready, is_ready) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    let other = {
        let pool = pool.clone();
        thread::spawn(move || {
            let mut blocks = rent(&pool, SMALL, 8);
            drop(blocks.split_off(4));
            drop(pool);
            ready.send(()).unwrap();
            wait.recv().unwrap();
            drop(blocks);
            // A slow path of another pool.
            drop(rent(&GlobalPool::new(), SMALL, 2));
        })
    };
    is_ready.recv().unwrap();
    drop(pool);
    go.send(()).unwrap();
    other.join().unwrap();
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn clones_are_the_same_pool() {
    let pool = GlobalPool::new();
    let twin = pool.clone();
    drop(twin.rent(SMALL).unwrap());
    assert_eq!(pool.stats().bytes_cached(), 1024);
    drop(pool);
    drop(twin.rent(SMALL).unwrap());
    assert_eq!(twin.stats().bytes_cached(), 1024);
    assert_eq!(twin.stats().classes().next().unwrap().high_water(), 1);
}

#[test]
fn pools_come_and_go_while_their_blocks_stay() {
    let mut kept = Vec::new();
    for _ in 0..rounds(200) {
        let pool = GlobalPool::new();
        kept.push(pool.rent(SMALL).unwrap());
        drop(pool.rent(SMALL).unwrap());
    }
    kept.reverse();
    drop(kept);
}
