//! Sole ownership of fresh capacity.
//!
//! # Invariants
//! * **K1** The references of a [`Block`] are all there are: its constructors demand
//!   so, and nothing lends the [`BlockRef`] out for cloning. That is what lets
//!   [`Block::open`] set the count with a plain store.
//! * **K2** `weight` is how many: one, or [`Block::STOCK`] of a counted block that was
//!   stocked by its provider.
#![expect(unsafe_code, reason = "exclusively owned memory and references")]

use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::num::NonZero;
use core::ptr::NonNull;

use crate::block_ref::STOCK;
use crate::{BlockMeta, BlockRef, BlockRefBatch, BlockSize};

/// Memory that a provider lends, not yet shared with anybody.
///
/// Owns the right to write its bytes until it is [opened](Self::open) by the
/// layer that fills it. Dropping a block gives it back to its provider.
///
/// # Examples
/// ```
/// use std::mem::MaybeUninit;
/// use std::num::NonZero;
/// use std::ptr::NonNull;
/// use bytesbuf_core::{Block, BlockRef, BlockRefCounted, BlockRefVTable, RefCount};
///
/// #[repr(C)]
/// struct State { count: RefCount, memory: [MaybeUninit<u8>; 4096] }
///
/// // SAFETY: begins with the count; lives until `release`.
/// unsafe impl BlockRefCounted for State {
///     type State = State;
///     unsafe fn release(state: NonNull<State>) {
///         // SAFETY: last reference; the pointer came from a Box.
///         drop(unsafe { Box::from_raw(state.as_ptr()) });
///     }
/// }
/// const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();
///
/// let state = Box::new(State { count: RefCount::new(1), memory: [MaybeUninit::uninit(); 4096] });
/// let state = Box::into_raw(state);
/// // SAFETY: the box is alive, and nothing else points into it.
/// let memory = unsafe { &raw mut (*state).memory }.cast::<MaybeUninit<u8>>();
/// let (state, memory) = (NonNull::new(state).unwrap(), NonNull::new(memory).unwrap());
/// // SAFETY: the one reference of the new count.
/// let block_ref = unsafe { BlockRef::new_counted(state, &TABLE) };
/// // SAFETY: nobody else touches `memory` until the block comes back.
/// let block = unsafe { Block::new(memory, NonZero::new(4096).unwrap(), block_ref) };
/// assert_eq!(block.len().get(), 4096);
/// ```
pub struct Block {
    ptr: NonNull<MaybeUninit<u8>>,
    len: NonZero<BlockSize>,
    weight: u32,
    /// Dropped with the right weight, by `drop` or `open`.
    block_ref: ManuallyDrop<BlockRef>,
}

const _: () = assert!(size_of::<Block>() <= 32);
const _: () = assert!(size_of::<Option<Block>>() == size_of::<Block>());

// SAFETY: a block is exclusive ownership of plain bytes plus a BlockRef that may
// be used on any thread.
unsafe impl Send for Block {}
// SAFETY: a shared block gives access to nothing but its length and metadata.
unsafe impl Sync for Block {}

impl Block {
    /// References that whoever opens a counted block takes at once. A provider that
    /// lends its blocks again and again may set the count to this itself, see
    /// [`new_stocked`](Self::new_stocked).
    pub const STOCK: usize = STOCK as usize;

    /// Wraps `len` bytes at `ptr` for lending.
    ///
    /// # Safety
    /// * `ptr` is valid for reads and writes of `len` bytes, on any thread, until
    ///   the last clone of `block_ref` is dropped. No more than `isize::MAX` bytes, which
    ///   is for 32-bit machines to mind.
    /// * Until then nothing else reads or writes them.
    /// * `block_ref` is the only reference there is to its block at the moment;
    ///   for a counted block, its count is exactly one.
    #[must_use]
    #[inline]
    pub const unsafe fn new(
        ptr: NonNull<MaybeUninit<u8>>,
        len: NonZero<BlockSize>,
        block_ref: BlockRef,
    ) -> Self {
        Self {
            ptr,
            len,
            weight: 1,
            block_ref: ManuallyDrop::new(block_ref),
        }
    }

    /// Wraps `len` bytes at `ptr` of a counted block whose count is at
    /// [`STOCK`](Self::STOCK) already, which saves [`open`](Self::open) from writing
    /// it. A block that comes back as it was lent still has that count: if it travels
    /// between threads, its count is then read and never written.
    ///
    /// # Safety
    /// As [`new`](Self::new), but `block_ref` is that of a counted block, whose count
    /// is exactly `STOCK`; the block takes all these references over.
    #[must_use]
    #[inline]
    pub const unsafe fn new_stocked(
        ptr: NonNull<MaybeUninit<u8>>,
        len: NonZero<BlockSize>,
        block_ref: BlockRef,
    ) -> Self {
        Self {
            ptr,
            len,
            weight: STOCK,
            block_ref: ManuallyDrop::new(block_ref),
        }
    }

    /// Capacity of the block in bytes. Blocks are never empty.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> NonZero<BlockSize> {
        self.len
    }

    /// The metadata of the block, if its provider attaches any.
    #[must_use]
    #[inline]
    pub fn meta(&self) -> Option<&dyn BlockMeta> {
        self.block_ref.meta()
    }

    /// Takes the block apart, for the layer that fills it: its memory, its length
    /// in bytes, and all references to it that will ever be needed.
    ///
    /// The caller is now the one that may write: the memory is valid for reads
    /// and writes until the last reference is dropped, and nobody else touches
    /// it. Bytes that have been shared as data must not be written again.
    ///
    /// No atomic read-modify-write: the block is not shared yet.
    #[must_use]
    #[inline]
    pub fn open(self) -> (NonNull<MaybeUninit<u8>>, NonZero<BlockSize>, BlockRefBatch) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: taken once: `this` is not dropped.
        let block_ref = unsafe { ManuallyDrop::take(&mut this.block_ref) };
        let batch = if this.weight == STOCK {
            // SAFETY: K2: the block's references, which move.
            unsafe { BlockRefBatch::stocked(block_ref) }
        } else {
            BlockRefBatch::open(block_ref)
        };
        (this.ptr, this.len, batch)
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: taken once: this is the block's end.
        let block_ref = unsafe { ManuallyDrop::take(&mut self.block_ref) };
        if self.weight == STOCK {
            // SAFETY: K2: the block's references, which are given up.
            drop(unsafe { BlockRefBatch::stocked(block_ref) });
        }
    }
}

/// Without the address, and without the content that there is none of.
impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("len", &self.len)
            .field("block_ref", &*self.block_ref)
            .finish()
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use static_assertions::{assert_eq_size, assert_impl_all};

    use super::*;

    assert_eq_size!(Option<Block>, Block);
    #[cfg(target_pointer_width = "64")]
    assert_eq_size!(Block, [usize; 4]);
    assert_impl_all!(Block: Send, Sync, Unpin, core::panic::UnwindSafe, core::panic::RefUnwindSafe);
}
