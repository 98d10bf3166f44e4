//! The only alloc and dealloc of the crate.
//!
//! Blocks are allocated one by one for now. Everything that knows so is in this
//! file.
//!
//! # Invariants
//! * **S1** What [`free`] gets was made by [`allocate`]: its layout follows from
//!   the class in the header, which does not change (B3).
//! * **S2** What [`unbox`] gets was made by [`try_box`] of the same type.
//!
//! Nothing that the callers keep is borrowed while the allocator runs: it may be
//! the user's, and use the pool that it serves.
#![expect(unsafe_code, reason = "calls the global allocator")]

use std::alloc::Layout;
use std::ptr::NonNull;

use bytesbuf_core::ReserveError;

use crate::header::{ALIGNMENT, Header, PAYLOAD_OFFSET, PoolBlock};
use crate::shared::Shared;
use crate::size_class::{CLASSES, SizeClass};
use crate::sync;

const LAYOUTS: [Layout; CLASSES] = {
    let mut layouts = [Layout::new::<Header>(); CLASSES];
    let mut index = 0;
    while index < CLASSES {
        let payload = SizeClass::ALL[index].block_size().get() as usize;
        layouts[index] = match Layout::from_size_align(PAYLOAD_OFFSET + payload, ALIGNMENT) {
            Ok(layout) => layout,
            Err(_) => panic!("the layout of a block fits the address space"),
        };
        index += 1;
    }
    layouts
};

const _: () = assert!(align_of::<Header>() <= ALIGNMENT);

/// A new block of `pool`, its memory uninitialised.
pub(crate) fn allocate(class: SizeClass, pool: NonNull<Shared>) -> Result<PoolBlock, ReserveError> {
    let layout = LAYOUTS[class.index()];
    // SAFETY: the layout is not of size zero: it includes the header.
    let memory = unsafe { sync::alloc(layout) };
    let Some(header) = NonNull::new(memory.cast::<Header>()) else {
        return Err(ReserveError::OutOfMemory {
            requested: layout.size(),
        });
    };
    // SAFETY: fresh memory, large and aligned enough by its layout.
    unsafe { header.write(Header::new(pool, class)) };
    // SAFETY: B1 and B3 were just established, and nobody else knows the address.
    Ok(unsafe { PoolBlock::from_raw(header) })
}

/// Gives a block back to the allocator.
pub(crate) fn free(block: PoolBlock) {
    let layout = LAYOUTS[block.class().index()];
    let header = block.into_raw();
    // SAFETY: B1 and B2: live, and nobody else's.
    unsafe { header.drop_in_place() };
    // SAFETY: S1: the layout of the allocation, whose owner the caller was.
    unsafe { sync::dealloc(header.as_ptr().cast(), layout) };
}

/// `Box::new` without the abort: `None` if the allocator refuses. `T` is not of
/// size zero.
pub(crate) fn try_box<T>(value: T) -> Option<NonNull<T>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not zero, asserted above.
    let memory = unsafe { sync::alloc(Layout::new::<T>()) };
    let memory = NonNull::new(memory.cast::<T>())?;
    // SAFETY: fresh memory with the layout of a `T`.
    unsafe { memory.write(value) };
    Some(memory)
}

/// Drops and frees what [`try_box`] made.
///
/// # Safety
/// S2; the caller owns the value, and nothing uses it any more.
pub(crate) unsafe fn unbox<T>(value: NonNull<T>) {
    // SAFETY: live and the caller's alone, as demanded.
    unsafe { value.drop_in_place() };
    // SAFETY: S2: allocated with this layout.
    unsafe { sync::dealloc(value.as_ptr().cast(), Layout::new::<T>()) };
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn payload_and_header_fit_their_layout() {
        assert_eq!(PAYLOAD_OFFSET, 64);
        for class in SizeClass::ALL {
            let layout = LAYOUTS[class.index()];
            assert_eq!(layout.size(), 64 + class.block_size().get() as usize);
            assert_eq!(layout.align(), 64);
        }
    }

    #[test]
    fn boxes_are_dropped() {
        let watch = std::rc::Rc::new(());
        let boxed = try_box(std::rc::Rc::clone(&watch)).unwrap();
        assert_eq!(std::rc::Rc::strong_count(&watch), 2);
        // SAFETY: S2, and not used again.
        unsafe { unbox(boxed) };
        assert_eq!(std::rc::Rc::strong_count(&watch), 1);
    }
}
