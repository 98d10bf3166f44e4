//! Blocks before they are shared.

use std::sync::Arc;

use bytesbuf_core::{Block, BlockRefBatch};

use crate::lender::{LEN, Notes, Tag, block_by_itself, fresh_block, stocked_block};

#[track_caller]
fn check_dropped_unopened(lend: fn(&Arc<Notes>) -> Block) {
    let notes = Arc::new(Notes::default());
    let block = lend(&notes);
    assert_eq!(notes.released(), 0);
    drop(block);
    assert_eq!(notes.released(), 1);
}

#[test]
fn a_block_that_nobody_opens_comes_back_once() {
    check_dropped_unopened(fresh_block);
    check_dropped_unopened(stocked_block);
    check_dropped_unopened(block_by_itself);
}

#[track_caller]
fn check_opened(lend: fn(&Arc<Notes>) -> Block, weight: usize, sole: Option<bool>) {
    let notes = Arc::new(Notes::default());
    let (_, len, mut batch): (_, _, BlockRefBatch) = lend(&notes).open();
    assert_eq!(len.get() as usize, LEN);
    assert_eq!(batch.weight() as usize, weight);
    assert_eq!(batch.is_sole(), sole);
    let one = batch.split();
    drop(batch);
    assert_eq!(notes.released(), 0);
    drop(one);
    assert_eq!(notes.released(), 1);
}

#[test]
fn whoever_opens_a_block_holds_all_there_is() {
    check_opened(fresh_block, Block::STOCK, Some(true));
    check_opened(stocked_block, Block::STOCK, Some(true));
    check_opened(block_by_itself, 1, None);
}

#[test]
fn metadata_is_there_before_the_block_is_opened() {
    let notes = Arc::new(Notes::default());
    let block = fresh_block(&notes);
    let tag = block.meta().and_then(|meta| meta.downcast_ref::<Tag>());
    assert_eq!(tag, Some(&Tag(7)));
    assert!(block_by_itself(&notes).meta().is_none());
}

/// So large that splitting all but never has to go to the count.
#[cfg(all(target_pointer_width = "64", not(miri)))]
#[test]
fn stock_and_refill_are_large() {
    assert_eq!(Block::STOCK, 1 << 31);
    let mut batch = BlockRefBatch::from(crate::lender::plain(&Arc::default()));
    let one = batch.split();
    assert_eq!(batch.weight(), 1 << 16);
    assert_eq!(one.weight(), 1);
}
