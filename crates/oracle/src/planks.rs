//! Blocks of uneven sizes that carry metadata and are counted while they live.
//!
//! The same provider once for each crate. It uses only what both have in common;
//! the one difference is that the functions of the vtable traits are `unsafe` in
//! ours.
#![expect(
    unsafe_code,
    reason = "implements the unsafe contract of a block, for each crate"
)]

/// Sizes of the blocks, in bytes, repeated until the request is covered.
pub const SIZES: [usize; 6] = [5, 1, 9, 2, 31, 64];

/// The sizes that cover `min_bytes`, in the order in which a provider hands them
/// to `from_blocks`. Buffers use them from the last to the first.
#[must_use]
pub fn sizes_for(min_bytes: usize) -> Vec<usize> {
    let mut missing = min_bytes;
    SIZES
        .iter()
        .cycle()
        .copied()
        .take_while(|size| {
            let wanted = missing > 0;
            missing = missing.saturating_sub(*size);
            wanted
        })
        .collect()
}

macro_rules! planks {
    ($(#[$attr:meta])* $module:ident, $krate:ident, [$($safety:tt)?]) => {
        $(#[$attr])*
        pub mod $module {
            use std::mem::MaybeUninit;
            use std::num::NonZero;
            use std::ptr::NonNull;
            use std::sync::Arc;
            use std::sync::atomic::{AtomicUsize, Ordering};

            use $krate::BytesBuf;
            use $krate::mem::{
                Block, BlockMeta, BlockRef, BlockRefDynamic, BlockRefDynamicWithMeta,
                BlockRefVTable, Memory,
            };

            /// The size of the block in bytes, as metadata.
            #[derive(Debug)]
            pub struct PlankSize(pub usize);
            impl BlockMeta for PlankSize {}

            /// State of one block.
            ///
            /// **K1** The state and its bytes live until `references` is zero.
            pub struct Plank {
                references: AtomicUsize,
                bytes: *mut [MaybeUninit<u8>],
                size: PlankSize,
                tally: Tally,
            }

            #[derive(Clone, Debug, Default)]
            struct Tally {
                live: Arc<AtomicUsize>,
                references: Arc<AtomicUsize>,
                retains: Arc<AtomicUsize>,
            }

            // SAFETY: the count decides on the end of the state, on any thread (K1).
            unsafe impl BlockRefDynamic for Plank {
                type State = Self;

                $($safety)? fn clone(state: NonNull<Self>) -> NonNull<Self> {
                    // SAFETY: K1: the caller holds a reference.
                    let plank = unsafe { state.as_ref() };
                    // Relaxed: partner of nothing; a reference is made from one that exists.
                    plank.references.fetch_add(1, Ordering::Relaxed);
                    // Relaxed: partner of nothing; statistics.
                    plank.tally.references.fetch_add(1, Ordering::Relaxed);
                    // Relaxed: partner of nothing; statistics.
                    plank.tally.retains.fetch_add(1, Ordering::Relaxed);
                    state
                }

                $($safety)? fn drop(state: NonNull<Self>) {
                    // SAFETY: K1: the caller holds a reference.
                    let plank = unsafe { state.as_ref() };
                    // Relaxed: partner of nothing; a statistic.
                    plank.tally.references.fetch_sub(1, Ordering::Relaxed);
                    // AcqRel: partner of itself on other threads. Releases this owner's use of the bytes to the last
                    // one, which acquires that of all others.
                    if plank.references.fetch_sub(1, Ordering::AcqRel) == 1 {
                        // SAFETY: K1: that was the last reference; from Box::into_raw.
                        let plank = unsafe { Box::from_raw(state.as_ptr()) };
                        // SAFETY: as above.
                        drop(unsafe { Box::from_raw(plank.bytes) });
                        // Relaxed: partner of nothing; a statistic.
                        plank.tally.live.fetch_sub(1, Ordering::Relaxed);
                    }
                }
            }

            // SAFETY: the metadata is a field of the state (K1).
            unsafe impl BlockRefDynamicWithMeta for Plank {
                $($safety)? fn meta(state: NonNull<Self>) -> NonNull<dyn BlockMeta> {
                    // SAFETY: K1: the caller holds a reference.
                    let plank = unsafe { state.as_ref() };
                    let meta: &dyn BlockMeta = &plank.size;
                    NonNull::from(meta)
                }
            }

            /// Lends planks: blocks of the sizes of [`sizes_for`](super::sizes_for).
            #[derive(Clone, Debug, Default)]
            pub struct Carpenter {
                tally: Tally,
            }

            impl Carpenter {
                /// Makes one block of `size` bytes.
                #[must_use]
                pub fn plank(&self, size: usize) -> Block {
                    const TABLE: BlockRefVTable<Plank> = BlockRefVTable::from_trait_with_meta();

                    let bytes = Box::into_raw(vec![MaybeUninit::uninit(); size].into_boxed_slice());
                    let state = Box::into_raw(Box::new(Plank {
                        references: AtomicUsize::new(1),
                        bytes,
                        size: PlankSize(size),
                        tally: self.tally.clone(),
                    }));
                    // Relaxed: partner of nothing; statistics.
                    self.tally.live.fetch_add(1, Ordering::Relaxed);
                    // Relaxed: partner of nothing; statistics.
                    self.tally.references.fetch_add(1, Ordering::Relaxed);
                    let state = NonNull::new(state).unwrap();
                    // SAFETY: the state matches the table and has one reference (K1).
                    let block_ref = unsafe { BlockRef::new(state, &TABLE) };
                    let len = NonZero::new(u32::try_from(size).unwrap()).unwrap();
                    let bytes = NonNull::new(bytes).unwrap().cast();
                    // SAFETY: fresh memory that lives as long as the state (K1).
                    unsafe { Block::new(bytes, len, block_ref) }
                }

                /// Blocks that somebody still refers to.
                #[must_use]
                pub fn live(&self) -> usize {
                    // Relaxed: partner of nothing; the tests read it on the thread that dropped.
                    self.tally.live.load(Ordering::Relaxed)
                }

                /// References that the table has handed out and not got back.
                #[must_use]
                pub fn references(&self) -> usize {
                    // Relaxed: partner of nothing, as in `live`.
                    self.tally.references.load(Ordering::Relaxed)
                }

                /// Calls of the table's `clone` so far.
                #[must_use]
                pub fn retains(&self) -> usize {
                    // Relaxed: partner of nothing, as in `live`.
                    self.tally.retains.load(Ordering::Relaxed)
                }
            }

            impl Memory for Carpenter {
                fn reserve(&self, min_bytes: usize) -> BytesBuf {
                    let sizes = super::sizes_for(min_bytes);
                    BytesBuf::from_blocks(sizes.into_iter().map(|size| self.plank(size)))
                }
            }
        }
    };
}

planks!(
    /// Planks for the crate of this repository.
    ///
    /// The functions of the vtable traits cannot be called from safe code (flaw 27):
    /// ```compile_fail,E0133
    /// use std::ptr::NonNull;
    /// use bytesbuf::mem::BlockRefDynamic;
    /// use bytesbuf_oracle::planks::ours::Plank;
    /// fn retain(state: NonNull<Plank>) -> NonNull<Plank> {
    ///     <Plank as BlockRefDynamic>::clone(state)
    /// }
    /// ```
    /// ```compile_fail,E0133
    /// use std::ptr::NonNull;
    /// use bytesbuf::mem::BlockRefDynamic;
    /// use bytesbuf_oracle::planks::ours::Plank;
    /// fn release(state: NonNull<Plank>) {
    ///     <Plank as BlockRefDynamic>::drop(state);
    /// }
    /// ```
    /// ```compile_fail,E0133
    /// use std::ptr::NonNull;
    /// use bytesbuf::mem::BlockRefDynamicWithMeta;
    /// use bytesbuf_oracle::planks::ours::Plank;
    /// fn meta(state: NonNull<Plank>) {
    ///     <Plank as BlockRefDynamicWithMeta>::meta(state);
    /// }
    /// ```
    /// That is all that keeps these three from compiling:
    /// ```
    /// use std::ptr::NonNull;
    /// use bytesbuf::mem::{BlockRefDynamic, BlockRefDynamicWithMeta};
    /// use bytesbuf_oracle::planks::ours::Plank;
    /// unsafe fn all(state: NonNull<Plank>) {
    ///     // SAFETY: for the caller to know.
    ///     unsafe {
    ///         <Plank as BlockRefDynamicWithMeta>::meta(state);
    ///         let state = <Plank as BlockRefDynamic>::clone(state);
    ///         <Plank as BlockRefDynamic>::drop(state);
    ///     }
    /// }
    /// ```
    ours, bytesbuf, [unsafe]
);
planks!(
    /// Planks for the published crate.
    reference, published, []
);
