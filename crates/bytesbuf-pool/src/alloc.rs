//! The only calls of the crate to the global allocator (but for the queues and
//! magazines, which are safe collections).
//!
//! Nothing that the callers keep is borrowed while the allocator runs, and no lock
//! is held: it may be the user's, and use the pool that it serves.
//!
//! # Invariants
//! * **A1** What [`deallocate`] gets was made by [`allocate`] with the same layout.
//! * **A2** What [`unbox`] gets was made by [`try_box`] of the same type.
#![expect(unsafe_code, reason = "calls the global allocator")]

use std::alloc::Layout;
use std::ptr::NonNull;

use bytesbuf_core::ReserveError;

use crate::sync;

/// Uninitialised memory. The layout is not of size zero.
pub(crate) fn allocate(layout: Layout) -> Result<NonNull<u8>, ReserveError> {
    assert!(layout.size() > 0, "nothing to allocate");
    // SAFETY: the size is not zero, asserted above.
    let memory = unsafe { sync::alloc(layout) };
    NonNull::new(memory).ok_or(ReserveError::OutOfMemory {
        requested: layout.size(),
    })
}

/// Gives memory back.
///
/// # Safety
/// A1; the caller owns the memory, and nothing uses it any more.
pub(crate) unsafe fn deallocate(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: A1.
    unsafe { sync::dealloc(memory.as_ptr(), layout) };
}

/// `Box::new` without the abort: `None` if the allocator refuses. `T` is not of
/// size zero.
pub(crate) fn try_box<T>(value: T) -> Option<NonNull<T>> {
    let memory = allocate(Layout::new::<T>()).ok()?.cast::<T>();
    // SAFETY: fresh memory with the layout of a `T`.
    unsafe { memory.write(value) };
    Some(memory)
}

/// Drops and frees what [`try_box`] made.
///
/// # Safety
/// A2; the caller owns the value, and nothing uses it any more.
pub(crate) unsafe fn unbox<T>(value: NonNull<T>) {
    // SAFETY: live and the caller's alone, as demanded.
    unsafe { value.drop_in_place() };
    // SAFETY: A2: allocated with this layout.
    unsafe { deallocate(value.cast(), Layout::new::<T>()) };
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_dropped() {
        let watch = std::rc::Rc::new(());
        let boxed = try_box(std::rc::Rc::clone(&watch)).unwrap();
        assert_eq!(std::rc::Rc::strong_count(&watch), 2);
        // SAFETY: A2, and not used again.
        unsafe { unbox(boxed) };
        assert_eq!(std::rc::Rc::strong_count(&watch), 1);
    }
}
