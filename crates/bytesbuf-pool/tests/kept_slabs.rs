//! A slab that has to stay, because one block of it is in use, serves with all the
//! others before a second slab is allocated.
#![cfg(not(any(bytesbuf_loom, bytesbuf_pass_through)))]

use bytesbuf_core::Block;
use bytesbuf_pool::GlobalPool;

const SIZE: usize = 65_536;

fn slabs(pool: &GlobalPool) -> usize {
    let stats = pool.stats();
    let class = stats
        .classes()
        .find(|class| class.block_size().get() as usize == SIZE);
    class.expect("a default class").slabs()
}

/// As many blocks as one slab has.
fn fill_a_slab(pool: &GlobalPool) -> Vec<Block> {
    let mut blocks = vec![pool.rent(SIZE).unwrap()];
    loop {
        let block = pool.rent(SIZE).unwrap();
        if slabs(pool) > 1 {
            // The first of the next one, which goes at once.
            drop(block);
            pool.trim();
            assert_eq!(slabs(pool), 1);
            return blocks;
        }
        blocks.push(block);
    }
}

/// All have been used before: there is none left to carve.
#[test]
fn every_block_of_a_kept_slab_is_used_again() {
    let pool = GlobalPool::new();
    let mut blocks = fill_a_slab(&pool);
    let all = blocks.len();
    assert!(all > 2, "{all} blocks in a slab");
    for _ in 0..3 {
        blocks.truncate(1);
        assert!(pool.trim() == 0, "the slab stays");
        blocks.extend((1..all).map(|_| pool.rent(SIZE).unwrap()));
        assert_eq!(slabs(&pool), 1, "{all} blocks");
    }
}
