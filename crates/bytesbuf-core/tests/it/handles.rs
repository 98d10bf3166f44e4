//! References and batches: what they tell, and what may be merged.

use std::sync::Arc;

use bytesbuf_core::BlockRefBatch;

use crate::lender::{ByItself, Curious, LEN, Notes, Plain, Tag, by_itself, curious, plain};

fn batch(block_ref: bytesbuf_core::BlockRef) -> BlockRefBatch {
    BlockRefBatch::from(block_ref)
}

#[test]
fn a_batch_tells_what_its_provider_tells() {
    let notes = Arc::default();
    let told = batch(curious(&notes));
    let tag = told.meta().and_then(|meta| meta.downcast_ref::<Tag>());
    assert_eq!(tag, Some(&Tag(7)));
    assert_eq!(told.retained_bytes(), Some(LEN));
    let silent = batch(plain(&notes));
    assert!(silent.meta().is_none());
    assert_eq!(silent.retained_bytes(), None);
    assert_eq!(batch(by_itself(&notes)).retained_bytes(), None);
}

#[test]
fn only_a_provider_that_asked_hears_of_writes() {
    let notes: Arc<Notes> = Arc::default();
    let told = batch(curious(&notes));
    assert!(told.watches_writes());
    told.report_written(3);
    told.report_written(5);
    assert_eq!(notes.written(), [3, 5]);
    for other in [plain(&notes), by_itself(&notes)].map(batch) {
        assert!(!other.watches_writes());
        other.report_written(9);
    }
    assert_eq!(notes.written(), [3, 5]);
}

#[test]
fn a_table_is_recognised_if_it_is_identified() {
    let notes = Arc::default();
    let identified = batch(curious(&notes));
    assert!(identified.uses::<Curious>());
    assert!(!identified.uses::<Plain>());
    assert!(!batch(plain(&notes)).uses::<Plain>());
    assert!(!batch(by_itself(&notes)).uses::<ByItself>());
}

#[test]
fn references_to_different_blocks_do_not_merge() {
    let notes: Arc<Notes> = Arc::default();
    // Weights that would add up, were it one block.
    let (mut one, other) = (batch(plain(&notes)), batch(plain(&notes)));
    assert!(!one.same_block(&other));
    let other = one.merge(other).unwrap_err();
    assert_eq!((one.weight(), other.weight()), (1, 1));
    drop(one);
    assert_eq!(notes.released(), 1);
    drop(other);
    assert_eq!(notes.released(), 2);
}

#[test]
fn references_to_one_block_become_one_batch() {
    let notes: Arc<Notes> = Arc::default();
    let mut one = batch(plain(&notes));
    let twin = one.clone();
    assert!(one.same_block(&twin));
    one.merge(twin).unwrap();
    assert_eq!((one.weight(), one.is_sole()), (2, Some(true)));
    drop(one);
    assert_eq!(notes.released(), 1);
}

#[test]
fn references_that_the_provider_counts_stay_apart() {
    let notes: Arc<Notes> = Arc::default();
    let mut one = batch(by_itself(&notes));
    let twin = one.split();
    assert!(one.same_block(&twin));
    let twin = one.merge(twin).unwrap_err();
    assert_eq!((one.weight(), twin.weight()), (1, 1));
    drop((one, twin));
    assert_eq!(notes.released(), 1);
}

#[test]
fn debug_shows_how_references_are_counted_and_the_metadata() {
    let notes = Arc::default();
    assert_eq!(
        format!("{:?}", curious(&notes)),
        "BlockRef { counted: true, meta: Some(Tag(7)) }"
    );
    assert_eq!(
        format!("{:?}", batch(by_itself(&notes))),
        "BlockRefBatch { weight: 1, counted: false, meta: None }"
    );
    assert_eq!(
        format!("{:?}", crate::lender::CURIOUS),
        "BlockRefVTable { counted: true, meta: true }"
    );
    assert_eq!(
        format!("{:?}", crate::lender::BY_ITSELF),
        "BlockRefVTable { counted: false, meta: false }"
    );
}
