//! A box that the allocator may refuse: the standard library has none, but for a vector of
//! one.
#![expect(
    unsafe_code,
    reason = "a box of a slice of one becomes a box of the one"
)]

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytesbuf_core::ReserveError;

/// Puts `value` in a box. One allocation, or none for a type without a size.
///
/// # Errors
/// [`ReserveError::OutOfMemory`] if the allocator refuses; `value` is dropped then.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>, ReserveError> {
    let mut place = Vec::new();
    let refused = |_| ReserveError::OutOfMemory {
        requested: size_of::<T>(),
    };
    place.try_reserve_exact(1).map_err(refused)?;
    place.push(value);
    let place: *mut [T] = Box::into_raw(place.into_boxed_slice());
    // SAFETY: a box of a slice of one element is laid out as one of the element, and its
    // pointer points at it.
    Ok(unsafe { Box::from_raw(place.cast()) })
}
