//! Any owner of bytes as the state behind a reference: `Vec`, `Bytes`, a memory
//! map.
#![expect(unsafe_code, reason = "reads an owner through a raw pointer")]

use alloc::boxed::Box;
use core::fmt;
use core::ptr::NonNull;

use crate::{BlockRef, BlockRefBatch, BlockRefCounted, BlockRefVTable, RefCount};

/// Boxed owner with its count. Holds the owner still until the last reference is
/// gone.
///
/// **O1** After `hold`, the owner is not touched again but to drop it, so the
/// slice it returned stays valid for as long as a reference exists.
#[repr(C)]
struct Owned<O> {
    count: RefCount,
    /// Length of the owner's slice in bytes; 0 until it has been asked.
    len: usize,
    owner: O,
}

impl<O: Send + 'static> Owned<O> {
    const TABLE: BlockRefVTable<Self> = BlockRefVTable::from_counted();
}

// SAFETY: repr(C) with the count first; the box lives until `release`; only core
// changes the count. The owner is Send, so dropping it on another thread is fine.
unsafe impl<O: Send + 'static> BlockRefCounted for Owned<O> {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: the pointer came from `Box::leak` in `hold`, and this is the one
        // release after the last reference.
        drop(unsafe { Box::from_raw(state_ptr.as_ptr()) });
    }

    /// The length of the slice. What the owner holds besides (the spare capacity of a
    /// vector) it alone knows.
    unsafe fn retained_bytes(state_ptr: NonNull<Self>) -> Option<usize> {
        // SAFETY: a reference is left, so the box is there. Not a reference to all of it:
        // the owner need not be Sync.
        let len = unsafe { &raw const (*state_ptr.as_ptr()).len };
        // SAFETY: as above; nobody writes the field after `hold`.
        Some(unsafe { len.read() })
    }
}

/// Immutable bytes together with the reference that keeps their owner alive.
///
/// # Examples
/// ```
/// use bytesbuf_core::OwnedMemory;
///
/// let held = OwnedMemory::hold(vec![1_u8, 2, 3]);
/// assert_eq!(held.as_slice(), [1, 2, 3]);
/// ```
pub struct OwnedMemory {
    ptr: NonNull<u8>,
    len: usize,
    owner: BlockRefBatch,
}

// SAFETY: immutable bytes (O1) and a reference that may be used on any thread.
unsafe impl Send for OwnedMemory {}
// SAFETY: as above.
unsafe impl Sync for OwnedMemory {}

impl OwnedMemory {
    /// Moves `owner` to the heap, asks it once for its bytes, and drops it when
    /// the last reference is gone, on whatever thread that happens. One
    /// allocation.
    #[must_use]
    pub fn hold<O: AsRef<[u8]> + Send + 'static>(owner: O) -> Self {
        let state = NonNull::from(Box::leak(Box::new(Owned {
            count: RefCount::new(1),
            len: 0,
            owner,
        })));
        // SAFETY: the count of one is the reference made here; the box lives until
        // `release`. From here on a panic (in `as_ref`) drops the owner.
        let block_ref = unsafe { BlockRef::new_counted(state, &Owned::<O>::TABLE) };
        // SAFETY: `block_ref` keeps the box alive, and nothing accesses the owner
        // mutably before its last reference is gone (O1).
        let owner = unsafe { &(*state.as_ptr()).owner };
        let bytes = owner.as_ref();
        // SAFETY: the box is alive, and nobody else knows of it yet.
        unsafe { (*state.as_ptr()).len = bytes.len() };
        Self {
            ptr: NonNull::from(bytes).cast(),
            len: bytes.len(),
            owner: BlockRefBatch::open(block_ref),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: O1: valid and immutable while `self.owner` exists.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    /// Address, length in bytes, and the references that keep the bytes valid and
    /// unchanged.
    #[must_use]
    pub fn into_parts(self) -> (NonNull<u8>, usize, BlockRefBatch) {
        (self.ptr, self.len, self.owner)
    }
}

/// Neither the address nor the content.
impl fmt::Debug for OwnedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedMemory")
            .field("len", &self.len)
            .field("owner", &self.owner)
            .finish()
    }
}
