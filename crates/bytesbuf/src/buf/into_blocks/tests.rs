#![expect(unsafe_code, reason = "plays a provider")]

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
#[cfg(feature = "std")]
use core::panic::AssertUnwindSafe;
use core::ptr::NonNull;

use bytesbuf_core::{BlockRefDynamic, BlockRefDynamicWithMeta};

use super::*;
use crate::mem::CallbackMemory;

#[derive(Debug, PartialEq, Eq)]
struct Number(usize);

impl BlockMeta for Number {}

/// State of a block, counted either way.
#[repr(C)]
struct State {
    count: RefCount,
    number: Number,
    memory: NonNull<[MaybeUninit<u8>]>,
    _out: Arc<()>,
}

// SAFETY: the memory is owned, and not touched through the state.
unsafe impl Send for State {}
// SAFETY: as above.
unsafe impl Sync for State {}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak`, dropped once.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
    }
}

// SAFETY: repr(C) with the count first; the Arc lives until `release`.
unsafe impl BlockRefCounted for State {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Arc::into_raw`; the last reference is gone.
        drop(unsafe { Arc::from_raw(state_ptr.as_ptr()) });
    }

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference is left.
        Some(unsafe { state_ptr.as_ref() }.memory.len())
    }
}

// SAFETY: an Arc counts atomically and keeps the state alive.
unsafe impl BlockRefDynamic for State {
    type State = Self;

    unsafe fn clone(state_ptr: NonNull<Self>) -> NonNull<Self> {
        // SAFETY: made by `Arc::into_raw`; the caller holds a reference.
        unsafe { Arc::increment_strong_count(state_ptr.as_ptr()) };
        state_ptr
    }

    unsafe fn drop(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Arc::into_raw`; the caller gives its reference up.
        unsafe { Arc::decrement_strong_count(state_ptr.as_ptr()) };
    }

    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference is left.
        Some(unsafe { state_ptr.as_ref() }.memory.len())
    }
}

// SAFETY: the number lives in the state.
unsafe impl BlockRefDynamicWithMeta for State {
    unsafe fn meta(state_ptr: NonNull<Self>) -> NonNull<dyn BlockMeta> {
        // SAFETY: a reference is left.
        NonNull::from(&unsafe { state_ptr.as_ref() }.number as &dyn BlockMeta)
    }
}

const COUNTED: BlockRefVTable<State> = BlockRefVTable::from_counted();
const DYNAMIC: BlockRefVTable<State> = BlockRefVTable::from_trait_with_meta();

/// Lends blocks, numbered by their lengths if they count by themselves.
#[derive(Debug, Clone)]
struct Lender {
    counted: bool,
    out: Arc<()>,
}

impl Lender {
    fn both() -> [Self; 2] {
        [true, false].map(|counted| Self {
            counted,
            out: Arc::default(),
        })
    }

    /// Blocks that have not come back.
    fn out(&self) -> usize {
        Arc::strong_count(&self.out) - 1
    }

    fn block(&self, len: BlockSize) -> Block {
        let memory = vec![MaybeUninit::uninit(); len as usize].into_boxed_slice();
        let memory = NonNull::from(Box::leak(memory));
        let state = Arc::into_raw(Arc::new(State {
            count: RefCount::new(1),
            number: Number(len as usize),
            memory,
            _out: Arc::clone(&self.out),
        }));
        let state = NonNull::new(state.cast_mut()).unwrap();
        let block_ref = if self.counted {
            // SAFETY: the count of one is this reference.
            unsafe { BlockRef::new_counted(state, &COUNTED) }
        } else {
            // SAFETY: the pointer stands for one reference of the Arc.
            unsafe { BlockRef::new(state, &DYNAMIC) }
        };
        // SAFETY: memory of that length, which nobody else touches.
        unsafe { Block::new(memory.cast(), NonZero::new(len).unwrap(), block_ref) }
    }

    /// A buffer that fills blocks of these lengths in this order.
    fn buf(&self, lens: &[BlockSize]) -> BytesBuf {
        BytesBuf::from_blocks(lens.iter().rev().map(|&len| self.block(len)))
    }
}

fn blocks(buf: BytesBuf) -> Vec<Block> {
    let mut blocks = Vec::new();
    buf.into_blocks(|block| blocks.push(block));
    blocks
}

fn lens(blocks: &[Block]) -> Vec<u32> {
    blocks.iter().map(|block| block.len().get()).collect()
}

/// Fills blocks, and returns what they hold, to see that the memory is there.
fn fill(blocks: Vec<Block>) -> crate::BytesView {
    let mut buf = BytesBuf::from_blocks(blocks);
    buf.put_byte_repeated(0xa5, buf.remaining_capacity());
    let view = buf.consume_all();
    assert!(
        view.slices()
            .all(|(slice, _)| slice.iter().all(|&byte| byte == 0xa5))
    );
    view
}

#[test]
fn no_capacity_is_no_block() {
    assert!(blocks(BytesBuf::new()).is_empty());
}

#[test]
fn untouched_blocks_come_in_order_and_whole() {
    for lender in Lender::both() {
        let blocks = blocks(lender.buf(&[7, 1, 30]));
        assert_eq!(lens(&blocks), [7, 1, 30]);
        assert_eq!(lender.out(), 3);
        let view = fill(blocks);
        assert_eq!((view.len(), view.retained_bytes()), (38, 38));
        drop(view);
        assert_eq!(lender.out(), 0);
    }
}

#[test]
fn a_block_that_nobody_shares_is_the_same_block_again() {
    let [lender, _] = Lender::both();
    let buf = lender.buf(&[7]);
    let before = buf.current_owner().unwrap().state();
    let (_, _, owner) = blocks(buf).pop().unwrap().open();
    assert_eq!(owner.state(), before);
    assert_eq!(owner.is_sole(), Some(true));
}

#[test]
fn what_is_left_of_a_block_in_use() {
    for lender in Lender::both() {
        let mut buf = lender.buf(&[10, 5]);
        buf.put_slice(*b"abcd");
        let view = buf.consume_all();
        let blocks = blocks(buf);
        assert_eq!(lens(&blocks), [6, 5]);
        let rest = fill(blocks);
        assert_eq!(view, b"abcd");
        assert_eq!((rest.len(), rest.retained_bytes()), (11, 15));
        drop(view);
        assert_eq!(lender.out(), 2, "the rest keeps its block");
        drop(rest);
        assert_eq!(lender.out(), 0);
    }
}

#[test]
fn what_is_left_when_the_used_part_is_gone() {
    for lender in Lender::both() {
        let mut buf = lender.buf(&[10]);
        buf.put_slice(*b"abcd");
        drop(buf.consume_all());
        let blocks = blocks(buf);
        assert_eq!(lens(&blocks), [6]);
        drop(fill(blocks));
        assert_eq!(lender.out(), 0);
    }
}

#[test]
fn two_parts_of_one_block() {
    for lender in Lender::both() {
        let mut front = lender.buf(&[10]);
        let back = front.split_off_remaining(4);
        let (front, back) = (blocks(front), blocks(back));
        assert_eq!((lens(&front), lens(&back)), (vec![6], vec![4]));
        let (front, back) = (fill(front), fill(back));
        drop(front);
        assert_eq!((lender.out(), back.len()), (1, 4));
        drop(back);
        assert_eq!(lender.out(), 0);
    }
}

#[test]
fn metadata_stays() {
    let [_, lender] = Lender::both();
    let mut buf = lender.buf(&[10]);
    buf.put_slice(*b"abcd");
    let view = buf.consume_all();
    let blocks = blocks(buf);
    drop(view);
    let number = |meta: Option<&dyn BlockMeta>| meta.unwrap().downcast_ref::<Number>().unwrap().0;
    assert_eq!(number(blocks[0].meta()), 10);
    assert_eq!(number(fill(blocks).first_slice_meta()), 10);
    let [plain, _] = Lender::both();
    let mut buf = plain.buf(&[10]);
    buf.put_byte(1);
    let _view = buf.consume_all();
    buf.into_blocks(|block| assert!(block.meta().is_none()));
}

#[test]
fn answers_of_a_function() {
    for lender in Lender::both() {
        let source = lender.clone();
        let memory = CallbackMemory::new(move |bytes| {
            // More than was asked for, used in part, split.
            let mut buf = source.buf(&[bytes as BlockSize, 8, 9]);
            buf.put_slice(*b"ab");
            drop(buf.consume_all());
            drop(buf.split_off_remaining(1));
            buf
        });
        let buf = memory.reserve(20);
        let capacity = buf.remaining_capacity();
        let blocks = blocks(buf);
        assert_eq!(lens(&blocks), [18, 8, 8]);
        assert_eq!(fill(blocks).len(), capacity);
        drop(memory);
        assert_eq!(lender.out(), 0);
    }
}

#[test]
#[should_panic(expected = "no data in it")]
fn a_buffer_with_data_is_refused() {
    let [lender, _] = Lender::both();
    let mut buf = lender.buf(&[10]);
    buf.put_byte(1);
    buf.into_blocks(drop);
}

#[test]
#[cfg(feature = "std")]
fn a_panicking_receiver_loses_nothing() {
    for lender in Lender::both() {
        let buf = lender.buf(&[1, 2, 3]);
        let mut received = 0;
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
            buf.into_blocks(|_| {
                received += 1;
                assert!(received < 2, "enough");
            });
        }));
        assert!(outcome.is_err());
        assert_eq!(lender.out(), 0);
    }
}
