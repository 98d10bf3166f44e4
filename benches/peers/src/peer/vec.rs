//! Vectors: on the system's allocator and on mimalloc.
//!
//! The program's allocator is the system's (glibc on most Linux). mimalloc is called
//! beside it, through its `GlobalAlloc`, so that both are measured in one process.
//!
//! # Invariants
//! * **M1** Every [`Mi`] stands for the one heap of mimalloc: what one of them allocated,
//!   any other may free.
//! * **M2** After `reserve(n)`, a vector's spare capacity is at least `n` bytes.
#![expect(
    unsafe_code,
    reason = "hands memory of mimalloc to a vector, and copies into it"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator};
use mimalloc::MiMalloc;

use super::{Build, Peer, Reserve};

/// `Vec<u8>`.
#[derive(Debug)]
pub enum Glibc {}

/// A vector of bytes on mimalloc.
#[derive(Debug)]
pub enum Mimalloc {}

/// mimalloc, as the allocator of one vector.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mi;

// SAFETY: a block stays valid until it is given back through any `Mi`, clones included
// (M1); `MiMalloc` fulfils the contract of `GlobalAlloc`.
unsafe impl Allocator for Mi {
    #[inline]
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.size() == 0 {
            return Err(AllocError);
        }
        // SAFETY: the size is not zero, checked above.
        let ptr = unsafe { MiMalloc.alloc(layout) };
        let ptr = NonNull::new(ptr).ok_or(AllocError)?;
        Ok(NonNull::slice_from_raw_parts(ptr, layout.size()))
    }

    #[inline]
    unsafe fn deallocate(&self, ptr: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller got `ptr` from `allocate` of a `Mi` with this layout, that is
        // from `MiMalloc::alloc` (M1).
        unsafe { MiMalloc.dealloc(ptr.as_ptr(), layout) };
    }
}

type MiVec = allocator_api2::vec::Vec<u8, Mi>;

/// The two differ in the type of the vector, and in how it copies.
macro_rules! vec_peer {
    ($name:ident, $peer:ident, $vec:ty, $with_capacity:expr, $append:expr) => {
        impl Reserve for $name {
            const PEER: Peer = Peer::$peer;
            type Pool = ();
            type Buf = $vec;
            type Filled = $vec;

            fn pool() {}

            #[inline]
            fn reserve((): &(), min_bytes: usize) -> $vec {
                $with_capacity(min_bytes)
            }

            #[inline]
            fn fill(mut buf: $vec, bytes: &[u8]) -> $vec {
                $append(&mut buf, bytes);
                buf
            }

            fn contents(filled: &mut $vec) -> Vec<u8> {
                filled.as_slice().into()
            }
        }

        impl Build for $name {
            type View = $vec;

            #[inline]
            fn build((): &(), min_bytes: usize, fill: impl FnOnce(&mut $vec)) -> $vec {
                let mut buf = $with_capacity(min_bytes);
                fill(&mut buf);
                buf
            }

            #[inline]
            fn put_slice(buf: &mut $vec, bytes: &[u8]) {
                $append(buf, bytes);
            }

            #[inline]
            fn put_u8(buf: &mut $vec, value: u8) {
                buf.push(value);
            }

            #[inline]
            fn put_u16_be(buf: &mut $vec, value: u16) {
                $append(buf, &value.to_be_bytes());
            }

            #[inline]
            fn put_u32_be(buf: &mut $vec, value: u32) {
                $append(buf, &value.to_be_bytes());
            }

            #[inline]
            fn put_u64_be(buf: &mut $vec, value: u64) {
                $append(buf, &value.to_be_bytes());
            }

            #[inline]
            fn put_u64_le(buf: &mut $vec, value: u64) {
                $append(buf, &value.to_le_bytes());
            }

            fn bytes_of(view: &$vec) -> Vec<u8> {
                view.as_slice().into()
            }
        }
    };
}

vec_peer!(
    Glibc,
    Vec,
    Vec<u8>,
    Vec::with_capacity,
    Vec::extend_from_slice
);
vec_peer!(
    Mimalloc,
    Mimalloc,
    MiVec,
    |capacity| MiVec::with_capacity_in(capacity, Mi),
    append
);

/// What the standard vector's `extend_from_slice` does. That of `allocator-api2` copies byte by
/// byte, which would be charged to mimalloc.
#[inline]
fn append(buf: &mut MiVec, bytes: &[u8]) {
    buf.reserve(bytes.len());
    let len = buf.len();
    let spare = buf.spare_capacity_mut().as_mut_ptr().cast::<u8>();
    // SAFETY: the spare capacity is at least as long as `bytes` (M2), and nothing else
    // refers to it while `buf` is borrowed mutably.
    unsafe { spare.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    // SAFETY: so many bytes behind the old length are within the capacity (M2) and
    // written, by the line above.
    unsafe { buf.set_len(len + bytes.len()) };
}
