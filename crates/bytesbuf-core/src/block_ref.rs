//! Shared handles to a block: one reference, or a batch of them.
//!
//! ```text
//!   BlockRef        state ──► [ RefCount | whatever the provider keeps ... ]
//!                   vtable ─► table of functions, 'static
//!
//!   BlockRefBatch   the same two words and a weight
//! ```
//!
//! # Invariants
//! * **H1** A handle of weight `n` owns `n` references to the block of its state.
//! * **H2** Weights above one exist only for counted blocks
//!   ([`BlockRefCounted`]).
//! * **H3** State and table belong together (V1): both come from one call of a
//!   constructor, or the state from its table's `clone`.
#![expect(unsafe_code, reason = "owns references by raw state pointer")]

use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use crate::vtable::RawVTable;
use crate::{BlockMeta, BlockRefCounted, BlockRefDynamic, BlockRefVTable};

/// References that a batch takes along when it has to go to the shared count,
/// so that the next ones cost nothing.
const REFILL: u32 = if cfg!(any(bytesbuf_loom, miri)) {
    3
} else if usize::BITS >= 64 {
    1 << 16
} else {
    // Few enough that the address space ends before the count does.
    1 << 3
};

/// References that a counted block has once it is opened, all of them held by
/// whoever opened it.
pub(crate) const STOCK: u32 = if cfg!(any(bytesbuf_loom, miri)) {
    3
} else if usize::BITS >= 64 {
    1 << 31
} else {
    1 << 16
};

/// One reference to a block: keeps its memory with whoever reads it.
///
/// Two words, and so is `Option<BlockRef>`. When the last reference to a block
/// is dropped, on whatever thread, the block goes back to its provider. Cloning
/// costs one relaxed atomic addition; dropping costs one load if it is the last
/// reference and one release subtraction otherwise. (Blocks whose provider
/// counts by itself: one indirect call each.)
///
/// See [`BlockRefCounted`] and [`BlockRefDynamic`] for examples of making one.
///
/// # Examples
/// ```
/// # use std::ptr::NonNull;
/// # use bytesbuf_core::{BlockRef, BlockRefCounted, BlockRefVTable, RefCount};
/// # #[repr(C)] struct State(RefCount);
/// # // SAFETY: begins with a count, lives until release.
/// # unsafe impl BlockRefCounted for State {
/// #     type State = State;
/// #     unsafe fn release(s: NonNull<State>) { drop(unsafe { Box::from_raw(s.as_ptr()) }) }
/// # }
/// # const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();
/// # let state = NonNull::from(Box::leak(Box::new(State(RefCount::new(1)))));
/// // SAFETY: `state` has a count of one, which the BlockRef now owns.
/// let here: BlockRef = unsafe { BlockRef::new_counted(state, &TABLE) };
/// let there = here.clone();
/// std::thread::spawn(move || drop(there)).join().unwrap();
/// assert!(here.meta().is_none());
/// drop(here); // the last one: the block goes back to its provider
/// ```
pub struct BlockRef {
    state: NonNull<()>,
    vtable: &'static RawVTable,
}

const _: () = assert!(size_of::<BlockRef>() == 2 * size_of::<usize>());
const _: () = assert!(size_of::<Option<BlockRef>>() == size_of::<BlockRef>());

// SAFETY: the contracts of BlockRefDynamic and BlockRefCounted demand that state
// and functions are usable from any thread, concurrently.
unsafe impl Send for BlockRef {}
// SAFETY: as above; through a shared BlockRef one can clone and look at the
// metadata, which is Sync itself.
unsafe impl Sync for BlockRef {}

impl BlockRef {
    /// Takes ownership of one reference to a block whose provider counts by
    /// itself.
    ///
    /// # Panics
    /// If the table is one for counted blocks.
    ///
    /// # Safety
    /// `state` stands for one live reference under the contract of `T`, and the
    /// caller gives it away.
    #[must_use]
    pub const unsafe fn new<T: BlockRefDynamic>(
        state: NonNull<T::State>,
        vtable: &'static BlockRefVTable<T>,
    ) -> Self {
        // A type may fulfil both contracts, with a state for each.
        assert!(
            !vtable.raw().is_counted(),
            "a table for counted blocks: use `new_counted`"
        );
        Self {
            state: state.cast(),
            vtable: vtable.raw(),
        }
    }

    /// Takes ownership of one reference to a block whose state begins with a
    /// [`RefCount`](crate::RefCount).
    ///
    /// # Panics
    /// If the table is one for blocks whose provider counts by itself.
    ///
    /// # Safety
    /// `state` upholds the contract of `T`, its count includes one reference that
    /// no other handle owns, and the caller gives it away.
    #[must_use]
    pub const unsafe fn new_counted<T: BlockRefCounted>(
        state: NonNull<T::State>,
        vtable: &'static BlockRefVTable<T>,
    ) -> Self {
        // A type may fulfil both contracts, with a state for each.
        assert!(
            vtable.raw().is_counted(),
            "a table for blocks that count by themselves: use `new`"
        );
        Self {
            state: state.cast(),
            vtable: vtable.raw(),
        }
    }

    /// The metadata of the block, if its provider attaches any.
    /// No atomics, one indirect call if there is metadata.
    #[must_use]
    #[inline]
    pub fn meta(&self) -> Option<&dyn BlockMeta> {
        // SAFETY: H3; the reference that `self` owns (H1) outlives the borrow.
        unsafe { self.vtable.meta(self.state) }
    }

    /// How many bytes the block keeps in use, whatever is left of it to read: its
    /// length as it was lent. `None` if its provider does not tell. One indirect call.
    #[must_use]
    pub fn retained_bytes(&self) -> Option<usize> {
        // SAFETY: H3; `self` owns a reference (H1).
        unsafe { self.vtable.retained_bytes(self.state) }
    }
}

impl Clone for BlockRef {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: H3; `self` owns a reference (H1).
        let state = unsafe { self.vtable.retain(self.state, 1) };
        Self {
            state,
            vtable: self.vtable,
        }
    }
}

impl Drop for BlockRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: H3; this handle owns one reference (H1) and is gone after this.
        unsafe { self.vtable.release(self.state, 1) }
    }
}

impl fmt::Debug for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockRef")
            .field("counted", &self.vtable.is_counted())
            .field("meta", &self.meta())
            .finish()
    }
}

/// Any number of references to one block, held and released as one.
///
/// What the layers above hold instead of [`BlockRef`]s. Taking a reference out
/// of a batch ([`split`](Self::split)) needs no atomic operation while the batch
/// has more than one; giving all of them back is one operation whatever the
/// weight. Batches of provider-counted blocks always have weight one, and each
/// split goes through the provider.
///
/// # Examples
/// ```
/// # use std::ptr::NonNull;
/// # use bytesbuf_core::{BlockRef, BlockRefBatch, BlockRefCounted, BlockRefVTable, RefCount};
/// # #[repr(C)] struct State(RefCount);
/// # // SAFETY: begins with a count, lives until release.
/// # unsafe impl BlockRefCounted for State {
/// #     type State = State;
/// #     unsafe fn release(s: NonNull<State>) { drop(unsafe { Box::from_raw(s.as_ptr()) }) }
/// # }
/// # const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();
/// # let state = NonNull::from(Box::leak(Box::new(State(RefCount::new(1)))));
/// # let block_ref = unsafe { BlockRef::new_counted(state, &TABLE) };
/// let mut mine = BlockRefBatch::from(block_ref);
/// let yours = mine.split();
/// assert!(mine.same_block(&yours));
/// assert_eq!(mine.is_sole(), Some(false));
/// drop(yours);
/// assert_eq!(mine.is_sole(), Some(true));
/// ```
pub struct BlockRefBatch {
    state: NonNull<()>,
    vtable: &'static RawVTable,
    weight: u32,
}

// SAFETY: as for BlockRef; the weight changes only through `&mut`.
unsafe impl Send for BlockRefBatch {}
// SAFETY: as for BlockRef; the weight changes only through `&mut`.
unsafe impl Sync for BlockRefBatch {}

impl BlockRefBatch {
    /// A batch over a block to which `sole` is the only reference: takes as many
    /// references as will ever be needed up front, with one plain store.
    #[inline]
    pub(crate) fn open(sole: BlockRef) -> Self {
        let mut batch = Self::from(sole);
        // SAFETY: H3; `batch` owns a reference (H1) for longer than this borrow.
        if let Some(count) = unsafe { batch.vtable.ref_count(batch.state) } {
            count.reset(STOCK as usize);
            batch.weight = STOCK;
        }
        batch
    }

    /// A batch of all references to a counted block, of which `one` is one.
    ///
    /// # Safety
    /// The count is at `STOCK`, and the caller owns all of it.
    #[inline]
    pub(crate) unsafe fn stocked(one: BlockRef) -> Self {
        let mut batch = Self::from(one);
        batch.weight = STOCK;
        batch
    }

    /// One reference, taken out of this batch: without an atomic operation if the
    /// batch has more than one, otherwise with one relaxed addition that also
    /// refills the batch.
    #[must_use]
    #[inline]
    pub fn split(&mut self) -> Self {
        if self.weight > 1 {
            self.weight -= 1;
            return Self {
                state: self.state,
                vtable: self.vtable,
                weight: 1,
            };
        }
        self.split_last()
    }

    #[cold]
    fn split_last(&mut self) -> Self {
        if !self.vtable.is_counted() {
            return self.clone();
        }
        // SAFETY: H3; `self` owns a reference (H1). The block is counted (H2).
        let state = unsafe { self.vtable.retain(self.state, REFILL) };
        self.weight += REFILL - 1;
        Self {
            state,
            vtable: self.vtable,
            weight: 1,
        }
    }

    /// Adds the references of `other` to this batch. Gives `other` back if it is
    /// of another block, if the block's provider counts by itself (then the two
    /// cannot become one), or if the weights do not add up to a `u32`.
    ///
    /// # Errors
    /// `other`, unchanged, in the cases above.
    #[inline]
    pub fn merge(&mut self, other: Self) -> Result<(), Self> {
        if !self.vtable.is_counted() || !self.same_block(&other) {
            return Err(other);
        }
        let Some(weight) = self.weight.checked_add(other.weight) else {
            return Err(other);
        };
        // The references of `other` are ours now (H1), so it must not give them back.
        let _moved = ManuallyDrop::new(other);
        self.weight = weight;
        Ok(())
    }

    /// Whether the two hold references to the same block. `false` may also mean
    /// "cannot tell": a provider that counts by itself may use a state pointer of
    /// its own for each reference.
    #[must_use]
    #[inline]
    pub fn same_block(&self, other: &Self) -> bool {
        self.state == other.state && core::ptr::eq(self.vtable, other.vtable)
    }

    /// Whether nobody else holds a reference to the block, or `None` if only the
    /// provider knows. One acquire load.
    #[must_use]
    #[inline]
    pub fn is_sole(&self) -> Option<bool> {
        // SAFETY: H3; the references that `self` owns (H1) outlive the borrow.
        let count = unsafe { self.vtable.ref_count(self.state) };
        count.map(|count| count.is_sole(self.weight as usize))
    }

    /// What [`same_block`](Self::same_block) compares, as numbers: for sets of blocks.
    /// Means something only while a reference to the block exists.
    #[must_use]
    pub fn identity(&self) -> (usize, usize) {
        let table = core::ptr::from_ref(self.vtable);
        (self.state.as_ptr().addr(), table.addr())
    }

    /// How many references this batch holds; at least one.
    #[must_use]
    #[inline]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// The metadata of the block, if its provider attaches any.
    /// No atomics, one indirect call if there is metadata.
    #[must_use]
    #[inline]
    pub fn meta(&self) -> Option<&dyn BlockMeta> {
        // SAFETY: H3; the references that `self` owns (H1) outlive the borrow.
        unsafe { self.vtable.meta(self.state) }
    }

    /// How many bytes the block keeps in use, whatever is left of it to read: its
    /// length as it was lent. `None` if its provider does not tell. One indirect call.
    #[must_use]
    pub fn retained_bytes(&self) -> Option<usize> {
        // SAFETY: H3; `self` owns references (H1).
        unsafe { self.vtable.retained_bytes(self.state) }
    }

    /// Whether the block's provider wants to know how far it is written: see
    /// [`report_written`](Self::report_written). One load.
    #[must_use]
    #[inline]
    pub fn watches_writes(&self) -> bool {
        self.vtable.watches_writes()
    }

    /// Tells the block's provider that nothing has been written from `end` on, an
    /// address in the block, as long as no later call says otherwise. The first call,
    /// with the start of the block, promises to report all that is written, before the
    /// reference that was used for it is given up. Does nothing for providers that do
    /// not want to know.
    pub fn report_written(&self, end: usize) {
        // SAFETY: H3; `self` owns references (H1).
        unsafe { self.vtable.report_written(self.state, end) };
    }

    /// Whether the references were made with a table that is
    /// [identified](BlockRefVTable::identified) as one of `T`. If so, the state is what
    /// `T`'s contract says, and lives as long as this batch.
    #[must_use]
    #[inline]
    pub fn uses<T: 'static>(&self) -> bool {
        self.vtable.is_identified_as::<T>()
    }

    /// Address of the block's state: equal for references to the same counted
    /// block. For identity only.
    #[must_use]
    #[inline]
    pub const fn state(&self) -> NonNull<()> {
        self.state
    }
}

impl From<BlockRef> for BlockRefBatch {
    #[inline]
    fn from(block_ref: BlockRef) -> Self {
        // The reference moves into the batch (H1), so it must not be given back.
        let block_ref = ManuallyDrop::new(block_ref);
        Self {
            state: block_ref.state,
            vtable: block_ref.vtable,
            weight: 1,
        }
    }
}

/// One more reference, as a batch of weight one. One relaxed atomic addition.
impl Clone for BlockRefBatch {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: H3; `self` owns a reference (H1).
        let state = unsafe { self.vtable.retain(self.state, 1) };
        Self {
            state,
            vtable: self.vtable,
            weight: 1,
        }
    }
}

impl Drop for BlockRefBatch {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: H3; the handle owns `weight` references (H1, H2) and is gone
        // after this.
        unsafe { self.vtable.release(self.state, self.weight) }
    }
}

impl fmt::Debug for BlockRefBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockRefBatch")
            .field("weight", &self.weight)
            .field("counted", &self.vtable.is_counted())
            .field("meta", &self.meta())
            .finish()
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use static_assertions::{assert_eq_size, assert_impl_all};

    use super::*;

    assert_eq_size!(BlockRef, [usize; 2]);
    assert_eq_size!(Option<BlockRef>, [usize; 2]);
    assert_eq_size!(Option<BlockRefBatch>, BlockRefBatch);
    assert_impl_all!(BlockRef: Send, Sync, Unpin, Clone);
    assert_impl_all!(BlockRefBatch: Send, Sync, Unpin, Clone);

    /// Counted, on the heap, does not tell.
    #[repr(transparent)]
    struct Silent(crate::RefCount);

    // SAFETY: begins with a count; the box lives until `release`.
    unsafe impl BlockRefCounted for Silent {
        type State = Self;

        unsafe fn release(state_ptr: NonNull<Self>) {
            // SAFETY: made by `Box::leak`; the last reference is gone.
            drop(unsafe { alloc::boxed::Box::from_raw(state_ptr.as_ptr()) });
        }
    }

    const SILENT: BlockRefVTable<Silent> = BlockRefVTable::from_counted();

    fn silent() -> BlockRefBatch {
        let state =
            alloc::boxed::Box::leak(alloc::boxed::Box::new(Silent(crate::RefCount::new(1))));
        // SAFETY: the count of one is the reference made here.
        BlockRefBatch::open(unsafe { BlockRef::new_counted(NonNull::from(state), &SILENT) })
    }

    #[test]
    fn a_provider_need_not_tell() {
        assert_eq!(silent().retained_bytes(), None);
    }

    #[test]
    fn identities_are_equal_for_one_block_only() {
        let (mut one, other) = (silent(), silent());
        let twin = one.split();
        assert_eq!(one.identity(), twin.identity());
        assert_ne!(one.identity(), other.identity());
    }
}
