//! A provider that tells the size of its blocks and counts those that are out.

use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::Arc;

use bytesbuf::mem::{
    Block, BlockProvider, BlockRef, BlockRefCounted, BlockRefDynamic, BlockRefVTable,
    ProviderMemory, RefCount, ReserveError,
};

/// State of a block, counted by the core crate or by an `Arc` around it.
#[repr(C)]
struct State {
    count: RefCount,
    tells: Option<usize>,
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
        unsafe { state_ptr.as_ref() }.tells
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
        unsafe { state_ptr.as_ref() }.tells
    }
}

const COUNTED: BlockRefVTable<State> = BlockRefVTable::from_counted();
const DYNAMIC: BlockRefVTable<State> = BlockRefVTable::from_trait();

/// Each block that is out has a clone of what is in here.
#[derive(Debug, Default)]
struct Out(Arc<()>);

/// Lends blocks of one size.
#[derive(Debug, Clone)]
pub(super) struct Lender {
    size: NonZero<u32>,
    counted: bool,
    tells: Option<usize>,
    out: Arc<Out>,
}

impl Lender {
    pub(super) fn counted(size: u32) -> Self {
        Self {
            size: NonZero::new(size).unwrap(),
            counted: true,
            tells: Some(size as usize),
            out: Arc::default(),
        }
    }

    /// One whose blocks the core crate counts, one whose blocks count by themselves.
    pub(super) fn both(size: u32) -> [Self; 2] {
        let (counted, mut dynamic) = (Self::counted(size), Self::counted(size));
        dynamic.counted = false;
        [counted, dynamic]
    }

    /// The same, saying something else about its blocks.
    pub(super) fn telling(mut self, tells: Option<usize>) -> Self {
        self.tells = tells;
        self
    }

    pub(super) fn memory(&self) -> ProviderMemory<Self> {
        ProviderMemory::new(self.clone())
    }

    /// Blocks that have not come back.
    pub(super) fn out(&self) -> usize {
        Arc::strong_count(&self.out.0) - 1
    }

    pub(super) fn size(&self) -> usize {
        self.size.get() as usize
    }

    /// What its blocks are said to keep in use.
    pub(super) fn tells(&self) -> Option<usize> {
        self.tells
    }

    fn block(&self) -> Block {
        let memory = vec![MaybeUninit::uninit(); self.size()].into_boxed_slice();
        let memory = NonNull::from(Box::leak(memory));
        let state = Arc::into_raw(Arc::new(State {
            count: RefCount::new(1),
            tells: self.tells,
            memory,
            _out: Arc::clone(&self.out.0),
        }));
        let state = NonNull::new(state.cast_mut()).unwrap();
        let block_ref = if self.counted {
            // SAFETY: the count of one is this reference.
            unsafe { BlockRef::new_counted(state, &COUNTED) }
        } else {
            // SAFETY: the pointer stands for one reference of the Arc.
            unsafe { BlockRef::new(state, &DYNAMIC) }
        };
        // SAFETY: memory of that size, which nobody else touches.
        unsafe { Block::new(memory.cast(), self.size, block_ref) }
    }
}

impl BlockProvider for Lender {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        for _ in 0..min_bytes.div_ceil(self.size()) {
            sink(self.block());
        }
        Ok(())
    }
}

/// Has no memory.
#[derive(Debug)]
pub(super) struct Refusing;

impl BlockProvider for Refusing {
    fn provide(&self, requested: usize, _: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        Err(ReserveError::OverBudget {
            requested,
            in_use: 0,
            limit: 0,
        })
    }
}
