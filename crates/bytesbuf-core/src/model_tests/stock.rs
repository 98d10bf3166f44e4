//! Batches: references given out of a stock, refilled, merged and returned.

use super::door::{Watch, model, read, thread};
use crate::BlockRefBatch;

#[test]
fn references_from_the_stock_are_released_elsewhere() {
    model(|| {
        let watch = Watch::new();
        let mut stock = BlockRefBatch::open(watch.lend(7));
        let first = stock.split();
        let second = stock.split();
        let other = thread::spawn(move || {
            assert_eq!(read(&first), 7);
            drop(first);
        });
        drop(stock);
        assert_eq!(read(&second), 7);
        drop(second);
        other.join().unwrap();
        watch.assert_released(1);
    });
}

/// The stock is three under loom: the third split goes to the shared count.
#[test]
fn refill_while_released_elsewhere() {
    model(|| {
        let watch = Watch::new();
        let mut stock = BlockRefBatch::from(watch.lend(7));
        let there = stock.split();
        let weight = stock.weight();
        assert!(weight > 1, "a refill takes more than one");
        let other = thread::spawn(move || {
            assert_eq!(read(&there), 7);
            drop(there);
        });
        let one = stock.split();
        assert_eq!(stock.weight(), weight - 1);
        assert_eq!(read(&one), 7);
        drop(stock);
        drop(one);
        other.join().unwrap();
        watch.assert_released(1);
    });
}

#[test]
fn merge_while_released_elsewhere() {
    model(|| {
        let watch = Watch::new();
        let mut stock = BlockRefBatch::open(watch.lend(7));
        let here = stock.split();
        let there = stock.split();
        let other = thread::spawn(move || drop(there));
        stock.merge(here).unwrap();
        assert_eq!(read(&stock), 7);
        drop(stock);
        other.join().unwrap();
        watch.assert_released(1);
    });
}

#[test]
fn batches_of_different_blocks_do_not_merge() {
    model(|| {
        let watch = Watch::new();
        let mut one = BlockRefBatch::open(watch.lend(1));
        let other = BlockRefBatch::open(watch.lend(2));
        let other = one.merge(other).unwrap_err();
        drop(one);
        watch.assert_released(1);
        assert_eq!(read(&other), 2);
        drop(other);
        watch.assert_released(2);
    });
}
