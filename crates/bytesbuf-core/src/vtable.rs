//! The contract of a block's shared state, and its table of functions.
//!
//! A provider describes how references to its blocks are counted in one of two
//! ways:
//!
//! * [`BlockRefCounted`]: the state begins with a [`RefCount`], the provider
//!   supplies what happens at the last release. Cloning and dropping a
//!   [`BlockRef`](crate::BlockRef) then counts inline, without an indirect call.
//!   This is what a new provider should use.
//! * [`BlockRefDynamic`]: the provider counts by itself. For states whose count
//!   lives elsewhere: an `Arc`, a foreign library, a device.
//!
//! Both have a `…WithMeta` twin for blocks that carry [`BlockMeta`].
//!
//! # Invariants
//! * **V1** A [`RawVTable`] made for a state type is only ever called with state
//!   pointers of that type: the constructors of [`BlockRef`](crate::BlockRef) take
//!   both in terms of one `T` and check the way of counting, and they travel
//!   together from there on.
//! * **V2** A `RawVTable` of kind `Counted` is made only from a
//!   [`BlockRefCounted`], so its state begins with a [`RefCount`].
#![expect(
    unsafe_code,
    reason = "calls provider functions through the erased table"
)]

use core::any::TypeId;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

use crate::{BlockMeta, RefCount};

/// A state that counts its references by itself.
///
/// The functions are called with the state pointer that was given to
/// [`BlockRef::new`](crate::BlockRef::new), or that an earlier `clone` returned.
///
/// # Safety
/// * The memory of the block stays valid, and the state pointer usable, until
///   every reference (the first one and each one that `clone` returned) has
///   been dropped.
/// * All functions may be called from any thread, concurrently.
/// * Dropping the last reference must happen after whatever was done through the
///   others: an `Acquire`/`Release` pair, as in [`RefCount::release`].
/// * `clone` does not unwind.
///
/// # Examples
/// A block whose state is an `Arc`:
/// ```
/// use std::ptr::NonNull;
/// use std::sync::Arc;
/// use bytesbuf_core::{BlockRef, BlockRefDynamic, BlockRefVTable};
///
/// struct Shared(Vec<u8>);
///
/// // SAFETY: an Arc keeps the state alive until its last reference is dropped,
/// // counts atomically, and orders the last drop after all others.
/// unsafe impl BlockRefDynamic for Shared {
///     type State = Shared;
///     unsafe fn clone(state: NonNull<Shared>) -> NonNull<Shared> {
///         // SAFETY: the pointer came from `Arc::into_raw`, and the caller holds a reference.
///         unsafe { Arc::increment_strong_count(state.as_ptr()) };
///         state
///     }
///     unsafe fn drop(state: NonNull<Shared>) {
///         // SAFETY: as above; the caller gives its reference up.
///         unsafe { Arc::decrement_strong_count(state.as_ptr()) };
///     }
/// }
///
/// let state = Arc::new(Shared(vec![0; 16]));
/// let watch = Arc::clone(&state);
/// let ptr = NonNull::new(Arc::into_raw(state).cast_mut()).unwrap();
/// const TABLE: BlockRefVTable<Shared> = BlockRefVTable::from_trait();
/// // SAFETY: the pointer stands for one reference, which the BlockRef now owns.
/// let block_ref = unsafe { BlockRef::new(ptr, &TABLE) };
/// assert_eq!(Arc::strong_count(&watch), 2);
/// let twin = block_ref.clone();
/// assert_eq!(Arc::strong_count(&watch), 3);
/// drop((block_ref, twin));
/// assert_eq!(Arc::strong_count(&watch), 1);
/// assert_eq!(watch.0.len(), 16);
/// ```
pub unsafe trait BlockRefDynamic {
    /// What the state pointer points at.
    type State;

    /// Makes one more reference and returns its state pointer (the same one or
    /// another).
    ///
    /// # Safety
    /// `state_ptr` stands for a live reference made for this type.
    unsafe fn clone(state_ptr: NonNull<Self::State>) -> NonNull<Self::State>;

    /// Gives one reference up; the last one returns the block to its provider.
    ///
    /// Runs wherever the last view or buffer happens to be dropped, possibly
    /// during unwinding or thread exit: it should not panic. (Callers stay sound if it
    /// does, but a second panic ends the process.)
    ///
    /// # Safety
    /// `state_ptr` stands for a live reference made for this type, and is not
    /// used for that reference again.
    unsafe fn drop(state_ptr: NonNull<Self::State>);

    /// As [`BlockRefCounted::retained_bytes`]: the bytes that are kept from being used
    /// otherwise as long as a reference to this state exists. References with different
    /// state pointers count as different blocks.
    ///
    /// The provided implementation does not tell.
    ///
    /// # Safety
    /// `state_ptr` stands for a live reference made for this type.
    unsafe fn retained_bytes(state_ptr: NonNull<Self::State>) -> Option<usize> {
        let _ = state_ptr;
        None
    }
}

/// A [`BlockRefDynamic`] whose blocks carry metadata.
///
/// # Safety
/// The pointer that `meta` returns is valid for shared access until the last
/// reference to the block is gone. `meta` does not unwind.
///
/// # Examples
/// ```
/// use std::ptr::NonNull;
/// use std::sync::Arc;
/// use bytesbuf_core::{
///     BlockMeta, BlockRef, BlockRefDynamic, BlockRefDynamicWithMeta, BlockRefVTable,
/// };
///
/// #[derive(Debug)]
/// struct Device(u8);
/// impl BlockMeta for Device {}
///
/// // SAFETY: an Arc keeps the state alive, counts atomically, and orders the last drop.
/// unsafe impl BlockRefDynamic for Device {
///     type State = Device;
///     unsafe fn clone(state: NonNull<Device>) -> NonNull<Device> {
///         // SAFETY: the pointer came from `Arc::into_raw`; the caller holds a reference.
///         unsafe { Arc::increment_strong_count(state.as_ptr()) };
///         state
///     }
///     unsafe fn drop(state: NonNull<Device>) {
///         // SAFETY: as above; the caller gives its reference up.
///         unsafe { Arc::decrement_strong_count(state.as_ptr()) };
///     }
/// }
/// // SAFETY: the state is its own metadata, and lives as long as a reference.
/// unsafe impl BlockRefDynamicWithMeta for Device {
///     unsafe fn meta(state: NonNull<Device>) -> NonNull<dyn BlockMeta> {
///         state
///     }
/// }
///
/// const TABLE: BlockRefVTable<Device> = BlockRefVTable::from_trait_with_meta();
/// let state = NonNull::new(Arc::into_raw(Arc::new(Device(3))).cast_mut()).unwrap();
/// // SAFETY: the pointer stands for one reference, which the BlockRef now owns.
/// let block_ref = unsafe { BlockRef::new(state, &TABLE) };
/// assert_eq!(block_ref.meta().unwrap().downcast_ref::<Device>().unwrap().0, 3);
/// ```
pub unsafe trait BlockRefDynamicWithMeta: BlockRefDynamic {
    /// Where the block's metadata is.
    ///
    /// # Safety
    /// `state_ptr` stands for a live reference made for this type.
    unsafe fn meta(state_ptr: NonNull<Self::State>) -> NonNull<dyn BlockMeta>;
}

/// A state that begins with a [`RefCount`] and leaves the counting to this
/// crate.
///
/// # Safety
/// * `State` begins with a `RefCount`: `#[repr(C)]`, not packed, with the count as the
///   first field, or `#[repr(transparent)]` around such a type.
/// * State and memory of the block stay valid until `release` is called, which
///   may be on any thread.
/// * The other functions may be called from any thread, several at a time for the same
///   block, while it is being filled and read.
/// * Nobody but this crate changes the count while references exist.
///
/// Bytes of a block may lie in its state. They belong to whoever has the block: a
/// function but `release` makes no reference to the whole of such a state, only to fields.
///
/// # Examples
/// ```
/// use std::ptr::NonNull;
/// use bytesbuf_core::{BlockRef, BlockRefCounted, BlockRefVTable, RefCount};
///
/// #[repr(C)]
/// struct State { count: RefCount, memory: [u8; 64] }
///
/// // SAFETY: the count is the first field of a repr(C) struct; the box lives until `release`.
/// unsafe impl BlockRefCounted for State {
///     type State = State;
///     unsafe fn release(state: NonNull<State>) {
///         // SAFETY: the last reference is gone, and the pointer came from `Box::into_raw`.
///         drop(unsafe { Box::from_raw(state.as_ptr()) });
///     }
/// }
///
/// let state = Box::new(State { count: RefCount::new(1), memory: [0; 64] });
/// let ptr = NonNull::from(Box::leak(state));
/// const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();
/// // SAFETY: the count of one is the reference that the BlockRef now owns.
/// let block_ref = unsafe { BlockRef::new_counted(ptr, &TABLE) };
/// drop(block_ref.clone());
/// drop(block_ref); // frees the state
/// ```
pub unsafe trait BlockRefCounted {
    /// What the state pointer points at; begins with a [`RefCount`].
    type State;

    /// Takes the block back: its last reference is gone. What the count says now is
    /// unspecified; [`RefCount::reset`] it before the block is lent again.
    ///
    /// Runs wherever the last view or buffer happens to be dropped, possibly
    /// during unwinding or thread exit: it should not panic. (Callers stay sound if it
    /// does, but a second panic ends the process.)
    ///
    /// # Safety
    /// `state_ptr` was given to
    /// [`BlockRef::new_counted`](crate::BlockRef::new_counted) with a table of this type, no reference is left, and everything done through
    /// them happened before. Called once per lending of the block.
    unsafe fn release(state_ptr: NonNull<Self::State>);

    /// How many bytes are kept from being used otherwise as long as a reference to
    /// the block exists: the length of the block as it was lent, however little of it is
    /// still referred to. Without the state itself and other overhead. `None` if the
    /// provider does not tell, which is what the provided implementation says.
    ///
    /// A figure for people and for decisions about copying; no safety depends on it. The
    /// same for all references to a block, cheap, and without side effects. It
    /// should not panic (callers stay sound and unchanged if it does).
    ///
    /// # Safety
    /// `state_ptr` was given to
    /// [`BlockRef::new_counted`](crate::BlockRef::new_counted) with a table of this type,
    /// and a reference is left.
    ///
    /// # Examples
    /// ```
    /// use std::ptr::NonNull;
    /// use bytesbuf_core::{BlockRef, BlockRefCounted, BlockRefVTable, RefCount};
    ///
    /// #[repr(C)]
    /// struct State { count: RefCount, memory: [u8; 64] }
    ///
    /// // SAFETY: begins with a count; the box lives until `release`.
    /// unsafe impl BlockRefCounted for State {
    ///     type State = State;
    ///     unsafe fn release(state: NonNull<State>) {
    ///         // SAFETY: the last reference is gone, and the pointer came from a Box.
    ///         drop(unsafe { Box::from_raw(state.as_ptr()) });
    ///     }
    ///     unsafe fn retained_bytes(_: NonNull<State>) -> Option<usize> {
    ///         Some(64) // the same for all
    ///     }
    /// }
    ///
    /// const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted();
    /// let state = Box::leak(Box::new(State { count: RefCount::new(1), memory: [0; 64] }));
    /// // SAFETY: the count of one is the reference that the BlockRef now owns.
    /// let block_ref = unsafe { BlockRef::new_counted(NonNull::from(state), &TABLE) };
    /// assert_eq!(block_ref.retained_bytes(), Some(64));
    /// ```
    unsafe fn retained_bytes(state_ptr: NonNull<Self::State>) -> Option<usize> {
        let _ = state_ptr;
        None
    }

    /// Whether [`written`](Self::written) is to be called. Whoever fills blocks looks
    /// at this once a block, and does no more if it is `false`.
    const WATCHES_WRITES: bool = false;

    /// Told by whoever fills a block, how far it has: nothing from `end` on has been
    /// written, as long as no later call says otherwise. The first call, with the start
    /// of the block, promises the others; without it, all of the block may be written.
    /// Calls may come from several threads that fill parts of one block. All of them
    /// happen before the release. `end` is an address; a provider copes with one outside of
    /// the block.
    ///
    /// The provided implementation does nothing.
    ///
    /// # Safety
    /// `state_ptr` stands for a live reference made for this type.
    unsafe fn written(state_ptr: NonNull<Self::State>, end: usize) {
        let _ = (state_ptr, end);
    }
}

/// A [`BlockRefCounted`] whose blocks carry metadata.
///
/// # Safety
/// The pointer that `meta` returns is valid for shared access until `release`. `meta`
/// does not unwind.
///
/// # Examples
/// ```
/// use std::ptr::NonNull;
/// use bytesbuf_core::{
///     BlockMeta, BlockRef, BlockRefCounted, BlockRefCountedWithMeta, BlockRefVTable, RefCount,
/// };
///
/// #[derive(Debug)]
/// struct Node(u8);
/// impl BlockMeta for Node {}
///
/// #[repr(C)]
/// struct State { count: RefCount, node: Node }
///
/// // SAFETY: the count is the first field of a repr(C) struct; the box lives until `release`.
/// unsafe impl BlockRefCounted for State {
///     type State = State;
///     unsafe fn release(state: NonNull<State>) {
///         // SAFETY: the last reference is gone, and the pointer came from a Box.
///         drop(unsafe { Box::from_raw(state.as_ptr()) });
///     }
/// }
/// // SAFETY: the metadata lives in the state.
/// unsafe impl BlockRefCountedWithMeta for State {
///     unsafe fn meta(state: NonNull<State>) -> NonNull<dyn BlockMeta> {
///         // SAFETY: a reference is left, so the state is alive; nobody changes the node.
///         let node = unsafe { &(*state.as_ptr()).node };
///         NonNull::from(node as &dyn BlockMeta)
///     }
/// }
///
/// const TABLE: BlockRefVTable<State> = BlockRefVTable::from_counted_with_meta();
/// let state = Box::leak(Box::new(State { count: RefCount::new(1), node: Node(1) }));
/// // SAFETY: the count of one is the reference that the BlockRef now owns.
/// let block_ref = unsafe { BlockRef::new_counted(NonNull::from(state), &TABLE) };
/// assert!(block_ref.meta().unwrap().is::<Node>());
/// ```
pub unsafe trait BlockRefCountedWithMeta: BlockRefCounted {
    /// Where the block's metadata is.
    ///
    /// # Safety
    /// `state_ptr` was given to
    /// [`BlockRef::new_counted`](crate::BlockRef::new_counted) with a table of this type, and a reference is left.
    unsafe fn meta(state_ptr: NonNull<Self::State>) -> NonNull<dyn BlockMeta>;
}

type CloneFn = unsafe fn(NonNull<()>) -> NonNull<()>;
type DropFn = unsafe fn(NonNull<()>);
type MetaFn = unsafe fn(NonNull<()>) -> NonNull<dyn BlockMeta>;
type RetainedFn = unsafe fn(NonNull<()>) -> Option<usize>;
type WrittenFn = unsafe fn(NonNull<()>, usize);

/// The functions of one kind of block, for [`BlockRef::new`](crate::BlockRef::new)
/// and [`BlockRef::new_counted`](crate::BlockRef::new_counted).
///
/// `T` is the type that implements the contract, not the state. The value has
/// neither a destructor nor interior mutability, so that a reference to a
/// constant is `'static`, behind generic parameters too:
///
/// ```
/// # use std::ptr::NonNull;
/// # use bytesbuf_core::{BlockRefCounted, BlockRefVTable, RefCount};
/// # struct Slot<const N: usize>(RefCount);
/// # unsafe impl<const N: usize> BlockRefCounted for Slot<N> {
/// #     type State = Self;
/// #     unsafe fn release(_: NonNull<Self>) {}
/// # }
/// impl<const N: usize> Slot<N> {
///     const TABLE: BlockRefVTable<Self> = BlockRefVTable::from_counted();
///     fn table() -> &'static BlockRefVTable<Self> {
///         &Self::TABLE
///     }
/// }
/// # let _ = Slot::<4>::table();
/// ```
///
/// A packed state does not compile: its count could not be used where it lies.
///
/// ```compile_fail,E0080
/// # use std::ptr::NonNull;
/// # use bytesbuf_core::{BlockRefCounted, BlockRefVTable, RefCount};
/// #[repr(C, packed)]
/// struct Packed { count: RefCount, tag: u8 }
/// # unsafe impl BlockRefCounted for Packed {
/// #     type State = Self;
/// #     unsafe fn release(_: NonNull<Self>) {}
/// # }
/// const TABLE: BlockRefVTable<Packed> = BlockRefVTable::from_counted();
/// # let _ = &TABLE;
/// ```
///
/// A table of one type is no table of another, also where values of the one may stand for
/// values of the other: each has its own states.
///
/// ```compile_fail,E0308
/// # use std::marker::PhantomData;
/// # use bytesbuf_core::BlockRefVTable;
/// struct Lender<T>(PhantomData<T>);
/// fn narrow(table: BlockRefVTable<Lender<for<'a> fn(&'a u8)>>) -> BlockRefVTable<Lender<fn(&'static u8)>> {
///     table
/// }
/// ```
#[repr(transparent)]
pub struct BlockRefVTable<T> {
    raw: RawVTable,
    // Invariant: of two types of which one can stand for the other, each has its own
    // states (V1).
    _contract: PhantomData<fn(T) -> T>,
}

impl<T> BlockRefVTable<T> {
    /// The table of blocks that count by themselves and have no metadata.
    #[must_use]
    pub const fn from_trait() -> Self
    where
        T: BlockRefDynamic,
    {
        Self::from_raw(RawVTable {
            count: Counting::Dynamic {
                clone: shim::clone::<T>,
                drop: shim::drop::<T>,
            },
            meta: None,
            retained: shim::retained::<T>,
            written: None,
            identity: None,
        })
    }

    /// The table of blocks that count by themselves and have metadata.
    #[must_use]
    pub const fn from_trait_with_meta() -> Self
    where
        T: BlockRefDynamicWithMeta,
    {
        Self::from_raw(RawVTable {
            count: Counting::Dynamic {
                clone: shim::clone::<T>,
                drop: shim::drop::<T>,
            },
            meta: Some(shim::meta::<T>),
            retained: shim::retained::<T>,
            written: None,
            identity: None,
        })
    }

    /// The table of blocks whose state begins with a [`RefCount`] and that have
    /// no metadata.
    #[must_use]
    pub const fn from_counted() -> Self
    where
        T: BlockRefCounted,
    {
        const { assert!(begins_with_a_count::<T::State>()) };
        Self::from_raw(RawVTable {
            count: Counting::Counted {
                release: shim::release::<T>,
            },
            meta: None,
            retained: shim::counted_retained::<T>,
            written: if T::WATCHES_WRITES {
                Some(shim::written::<T>)
            } else {
                None
            },
            identity: None,
        })
    }

    /// The table of blocks whose state begins with a [`RefCount`] and that have
    /// metadata.
    #[must_use]
    pub const fn from_counted_with_meta() -> Self
    where
        T: BlockRefCountedWithMeta,
    {
        const { assert!(begins_with_a_count::<T::State>()) };
        Self::from_raw(RawVTable {
            count: Counting::Counted {
                release: shim::release::<T>,
            },
            meta: Some(shim::counted_meta::<T>),
            retained: shim::counted_retained::<T>,
            written: if T::WATCHES_WRITES {
                Some(shim::written::<T>)
            } else {
                None
            },
            identity: None,
        })
    }

    /// The same table, recognisable: [`BlockRefBatch::uses`](crate::BlockRefBatch::uses)
    /// finds the blocks made with it among all others.
    #[must_use]
    pub const fn identified(mut self) -> Self
    where
        T: 'static,
    {
        self.raw.identity = Some(TypeId::of::<T>);
        self
    }

    const fn from_raw(raw: RawVTable) -> Self {
        Self {
            raw,
            _contract: PhantomData,
        }
    }

    pub(crate) const fn raw(&'static self) -> &'static RawVTable {
        &self.raw
    }
}

impl<T> fmt::Debug for BlockRefVTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockRefVTable")
            .field(
                "counted",
                &matches!(self.raw.count, Counting::Counted { .. }),
            )
            .field("meta", &self.raw.meta.is_some())
            .finish()
    }
}

/// Whether a state can begin with a count, as far as can be told: a packed one cannot.
const fn begins_with_a_count<S>() -> bool {
    size_of::<S>() >= size_of::<RefCount>() && align_of::<S>() >= align_of::<RefCount>()
}

/// How references to a block are counted.
#[derive(Clone, Copy)]
enum Counting {
    /// By a [`RefCount`] at the start of the state.
    Counted { release: DropFn },
    /// By the provider.
    Dynamic { clone: CloneFn, drop: DropFn },
}

/// A [`BlockRefVTable`] that has forgotten its type.
pub(crate) struct RawVTable {
    count: Counting,
    meta: Option<MetaFn>,
    /// Tells how much a block keeps in use.
    retained: RetainedFn,
    /// Hears how far a block is written.
    written: Option<WrittenFn>,
    /// Tells the contract type. A function, as ids are not constants yet; its result is
    /// compared, not its address, which need not be unique.
    identity: Option<fn() -> TypeId>,
}

impl RawVTable {
    /// Whether the state begins with a [`RefCount`].
    #[inline]
    pub(crate) const fn is_counted(&self) -> bool {
        matches!(self.count, Counting::Counted { .. })
    }

    /// Whether this is the table of a `T`, and identified as such.
    pub(crate) fn is_identified_as<T: 'static>(&self) -> bool {
        self.identity
            .is_some_and(|identity| identity() == TypeId::of::<T>())
    }

    /// The count of `state`, if this crate does the counting.
    ///
    /// # Safety
    /// `state` belongs to this table (V1), and the caller holds a reference for
    /// as long as `'a` lasts.
    #[inline]
    pub(crate) unsafe fn ref_count<'a>(&self, state: NonNull<()>) -> Option<&'a RefCount> {
        match self.count {
            // SAFETY: V2: the state begins with a RefCount; the caller's reference
            // keeps it alive, and counts are only ever accessed shared.
            Counting::Counted { .. } => Some(unsafe { state.cast::<RefCount>().as_ref() }),
            Counting::Dynamic { .. } => None,
        }
    }

    /// Makes `n` more references. `n` is 1 unless the block is counted. Returns
    /// the state pointer of the new references.
    ///
    /// # Safety
    /// `state` belongs to this table (V1), and the caller holds a reference.
    #[inline]
    pub(crate) unsafe fn retain(&self, state: NonNull<()>, n: u32) -> NonNull<()> {
        match self.count {
            Counting::Counted { .. } => {
                // SAFETY: V2, and the caller's reference keeps the state alive.
                let count = unsafe { state.cast::<RefCount>().as_ref() };
                count.retain(n as usize);
                state
            }
            Counting::Dynamic { clone, .. } => {
                debug_assert_eq!(n, 1, "provider-counted references go one by one");
                // SAFETY: V1: `clone` was made for the type of `state`; the caller
                // holds a reference.
                unsafe { clone(state) }
            }
        }
    }

    /// Gives up `n` references. `n` is 1 unless the block is counted.
    ///
    /// # Safety
    /// `state` belongs to this table (V1), and the caller holds `n` references,
    /// which it does not use again.
    #[inline]
    pub(crate) unsafe fn release(&self, state: NonNull<()>, n: u32) {
        match self.count {
            Counting::Counted { release } => {
                // SAFETY: V2, and the caller's references keep the state alive.
                let count = unsafe { state.cast::<RefCount>().as_ref() };
                if count.release(n as usize) {
                    // SAFETY: V1, and R3: these were the last references.
                    unsafe { release(state) };
                }
            }
            Counting::Dynamic { drop, .. } => {
                debug_assert_eq!(n, 1, "provider-counted references go one by one");
                // SAFETY: V1: `drop` was made for the type of `state`; the caller
                // gives its reference up.
                unsafe { drop(state) };
            }
        }
    }

    /// The metadata of a block.
    ///
    /// # Safety
    /// `state` belongs to this table (V1), and the caller holds a reference for
    /// as long as `'a` lasts.
    #[inline]
    pub(crate) unsafe fn meta<'a>(&self, state: NonNull<()>) -> Option<&'a dyn BlockMeta> {
        let meta = self.meta?;
        // SAFETY: V1: `meta` was made for the type of `state`; the caller holds a
        // reference.
        let meta = unsafe { meta(state) };
        // SAFETY: the contract of the WithMeta traits: valid for shared access
        // while a reference exists, which the caller promises for 'a.
        Some(unsafe { meta.as_ref() })
    }

    /// Bytes that the block keeps in use, if the provider tells.
    ///
    /// # Safety
    /// `state` belongs to this table (V1), and the caller holds a reference.
    pub(crate) unsafe fn retained_bytes(&self, state: NonNull<()>) -> Option<usize> {
        // SAFETY: V1: `retained` was made for the type of `state`; the caller holds a
        // reference.
        unsafe { (self.retained)(state) }
    }

    /// Whether the provider wants to know how far its blocks are written.
    #[inline]
    pub(crate) const fn watches_writes(&self) -> bool {
        self.written.is_some()
    }

    /// Tells the provider how far a block is written, if it wants to know.
    ///
    /// # Safety
    /// `state` belongs to this table (V1), and the caller holds a reference.
    pub(crate) unsafe fn report_written(&self, state: NonNull<()>, end: usize) {
        if let Some(written) = self.written {
            // SAFETY: V1: `written` was made for the type of `state`; the caller holds a
            // reference.
            unsafe { written(state, end) };
        }
    }
}

/// Functions of one contract with the state type erased. Each is called only
/// with states of that type (V1), so the casts restore what was there.
mod shim {
    use super::{
        BlockMeta, BlockRefCounted, BlockRefCountedWithMeta, BlockRefDynamic,
        BlockRefDynamicWithMeta, NonNull,
    };

    pub(super) unsafe fn clone<T: BlockRefDynamic>(state: NonNull<()>) -> NonNull<()> {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::clone(state.cast()) }.cast()
    }

    pub(super) unsafe fn drop<T: BlockRefDynamic>(state: NonNull<()>) {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::drop(state.cast()) }
    }

    pub(super) unsafe fn meta<T: BlockRefDynamicWithMeta>(
        state: NonNull<()>,
    ) -> NonNull<dyn BlockMeta> {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::meta(state.cast()) }
    }

    pub(super) unsafe fn release<T: BlockRefCounted>(state: NonNull<()>) {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::release(state.cast()) }
    }

    pub(super) unsafe fn retained<T: BlockRefDynamic>(state: NonNull<()>) -> Option<usize> {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::retained_bytes(state.cast()) }
    }

    pub(super) unsafe fn counted_retained<T: BlockRefCounted>(state: NonNull<()>) -> Option<usize> {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::retained_bytes(state.cast()) }
    }

    pub(super) unsafe fn written<T: BlockRefCounted>(state: NonNull<()>, end: usize) {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::written(state.cast(), end) };
    }

    pub(super) unsafe fn counted_meta<T: BlockRefCountedWithMeta>(
        state: NonNull<()>,
    ) -> NonNull<dyn BlockMeta> {
        // SAFETY: forwarded from the caller; the pointer is of type T::State (V1).
        unsafe { T::meta(state.cast()) }
    }
}
