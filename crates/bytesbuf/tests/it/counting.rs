//! A provider that knows how many of its blocks are out: once counted by the core
//! crate, once by itself (`Arc`).

use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytesbuf::BytesBuf;
use bytesbuf::mem::{
    Block, BlockMeta, BlockRef, BlockRefCounted, BlockRefCountedWithMeta, BlockRefDynamic,
    BlockRefVTable, Memory, RefCount,
};

/// Number of the block, as its metadata.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) usize);

impl BlockMeta for Number {}

#[repr(C)]
struct State {
    count: RefCount,
    number: Number,
    out: Arc<AtomicUsize>,
    memory: Box<[MaybeUninit<u8>]>,
}

const COUNTED: BlockRefVTable<State> = BlockRefVTable::from_counted_with_meta();

// SAFETY: repr(C) with the count first; the box lives until `release`.
unsafe impl BlockRefCounted for State {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Box::leak`; the last reference is gone.
        let state = unsafe { Box::from_raw(state_ptr.as_ptr()) };
        // Relaxed: partner of nothing; read when the threads are joined.
        state.out.fetch_sub(1, Ordering::Relaxed);
    }
}

// SAFETY: the number lives in the state.
unsafe impl BlockRefCountedWithMeta for State {
    unsafe fn meta(state_ptr: NonNull<Self>) -> NonNull<dyn BlockMeta> {
        // SAFETY: a reference is left, so the state is alive.
        let state = unsafe { state_ptr.as_ref() };
        NonNull::from(&state.number as &dyn BlockMeta)
    }
}

/// State of a block that counts by itself.
struct Foreign {
    out: Arc<AtomicUsize>,
    memory: NonNull<[MaybeUninit<u8>]>,
}

// SAFETY: the memory is owned.
unsafe impl Send for Foreign {}
// SAFETY: the memory is not touched through the state.
unsafe impl Sync for Foreign {}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak`, dropped once.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
        // Relaxed: partner of nothing; read when the threads are joined.
        self.out.fetch_sub(1, Ordering::Relaxed);
    }
}

const DYNAMIC: BlockRefVTable<Foreign> = BlockRefVTable::from_trait();

// SAFETY: an Arc counts atomically and keeps the state alive.
unsafe impl BlockRefDynamic for Foreign {
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
}

/// Lends blocks of one size and counts those that are out.
#[derive(Debug, Clone)]
pub(crate) struct Counting {
    block_size: NonZero<u32>,
    counted_by_core: bool,
    lent: Arc<AtomicUsize>,
    out: Arc<AtomicUsize>,
}

impl Counting {
    pub(crate) fn new(block_size: u32, counted_by_core: bool) -> Self {
        Self {
            block_size: NonZero::new(block_size).unwrap(),
            counted_by_core,
            lent: Arc::default(),
            out: Arc::default(),
        }
    }

    /// Both kinds.
    pub(crate) fn both(block_size: u32) -> [Self; 2] {
        [Self::new(block_size, true), Self::new(block_size, false)]
    }

    /// Blocks that have not come back.
    pub(crate) fn out(&self) -> usize {
        // Relaxed: partner of nothing; the threads are joined.
        self.out.load(Ordering::Relaxed)
    }

    fn block(&self) -> Block {
        let size = self.block_size.get() as usize;
        // Relaxed: partner of nothing; figures.
        self.out.fetch_add(1, Ordering::Relaxed);
        // Relaxed: partner of nothing; figures.
        let number = self.lent.fetch_add(1, Ordering::Relaxed);
        let memory = vec![MaybeUninit::uninit(); size].into_boxed_slice();
        let out = Arc::clone(&self.out);
        let (ptr, block_ref) = if self.counted_by_core {
            let state = Box::leak(Box::new(State {
                count: RefCount::new(1),
                number: Number(number),
                out,
                memory,
            }));
            let ptr = NonNull::from(&mut *state.memory).cast();
            // SAFETY: the count of one is the reference made here.
            (ptr, unsafe {
                BlockRef::new_counted(NonNull::from(state), &COUNTED)
            })
        } else {
            let memory = NonNull::from(Box::leak(memory));
            let state = Arc::into_raw(Arc::new(Foreign { out, memory }));
            let state = NonNull::new(state.cast_mut()).unwrap();
            // SAFETY: the pointer stands for one reference of the Arc.
            (memory.cast(), unsafe { BlockRef::new(state, &DYNAMIC) })
        };
        // SAFETY: memory of that size, which nobody else touches.
        unsafe { Block::new(ptr, self.block_size, block_ref) }
    }
}

impl Memory for Counting {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        let size = self.block_size.get() as usize;
        BytesBuf::from_blocks((0..min_bytes.div_ceil(size)).map(|_| self.block()))
    }
}
