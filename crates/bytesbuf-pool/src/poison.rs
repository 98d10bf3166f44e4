//! What the memory sanitizers are told, because they cannot see it: to them a block
//! that is kept for reuse is memory in use, with the content that it last had.
//!
//! Does nothing but under `--cfg bytesbuf_sanitize="address"` or `"memory"`, which
//! `cargo xtask sanitize` sets beside the compiler's own flag.
//!
//! # Invariants
//! * **X1** What is named here is memory of a live slab: telling a sanitizer about
//!   it changes nothing but the sanitizer's own notes.
//! * **X2** Payload is poisoned from the allocation of its slab until that is freed,
//!   but for blocks that are lent, or at work between two lendings (wiped, or touched
//!   by a test). The gaps between payloads are poisoned all the time.

use std::ptr::NonNull;

/// Nobody may access this memory until it is [`in_use`].
#[inline(always)]
pub(crate) fn idle<T>(memory: NonNull<T>, bytes: usize) {
    engine::idle(memory.as_ptr().cast(), bytes);
}

/// This memory may be accessed, and has no content yet.
#[inline(always)]
pub(crate) fn in_use<T>(memory: NonNull<T>, bytes: usize) {
    engine::in_use(memory.as_ptr().cast(), bytes);
}

#[cfg(bytesbuf_sanitize = "address")]
#[expect(unsafe_code, reason = "calls the run-time of a sanitizer")]
mod engine {
    use std::ffi::c_void;

    unsafe extern "C" {
        fn __asan_poison_memory_region(memory: *const c_void, bytes: usize);
        fn __asan_unpoison_memory_region(memory: *const c_void, bytes: usize);
    }

    pub(super) fn idle(memory: *mut c_void, bytes: usize) {
        // SAFETY: X1.
        unsafe { __asan_poison_memory_region(memory, bytes) };
    }

    pub(super) fn in_use(memory: *mut c_void, bytes: usize) {
        // SAFETY: X1.
        unsafe { __asan_unpoison_memory_region(memory, bytes) };
    }
}

#[cfg(bytesbuf_sanitize = "memory")]
#[expect(unsafe_code, reason = "calls the run-time of a sanitizer")]
mod engine {
    use std::ffi::c_void;

    unsafe extern "C" {
        fn __msan_allocated_memory(memory: *const c_void, bytes: usize);
    }

    /// Whether memory may be accessed at all is not what this one checks. But what
    /// is read from it counts as never written.
    pub(super) fn idle(memory: *mut c_void, bytes: usize) {
        in_use(memory, bytes);
    }

    pub(super) fn in_use(memory: *mut c_void, bytes: usize) {
        // SAFETY: X1.
        unsafe { __msan_allocated_memory(memory, bytes) };
    }
}

#[cfg(not(any(bytesbuf_sanitize = "address", bytesbuf_sanitize = "memory")))]
mod engine {
    use std::ffi::c_void;

    #[inline(always)]
    pub(super) fn idle(_: *mut c_void, _: usize) {}

    #[inline(always)]
    pub(super) fn in_use(_: *mut c_void, _: usize) {}
}
