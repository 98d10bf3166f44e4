//! The checks at the border between a provider and whoever asks it.

use bytesbuf_core::ReserveError;

use crate::BytesBuf;

/// The largest request that is passed on to a provider, in bytes: no object in
/// Rust is larger.
pub(crate) const MAX_REQUEST: usize = isize::MAX as usize;

/// Requests above this many bytes are probed before blocks are gathered for them.
#[cfg(any(feature = "std", feature = "test-util"))]
const PROBE_ABOVE: usize = 1 << 30;

/// Refuses what no memory could ever hold.
#[inline]
pub(crate) fn check_request(min_bytes: usize) -> Result<(), ReserveError> {
    if min_bytes > MAX_REQUEST {
        return Err(ReserveError::TooLarge {
            requested: min_bytes,
            max: MAX_REQUEST,
        });
    }
    Ok(())
}

/// Asks the allocator whether it would give `min_bytes` in one piece, and frees
/// them at once.
///
/// For providers that gather a request from many small allocations. Each of those
/// may succeed on a system that overcommits, until the process is killed; one
/// allocation of the whole size is refused. Does nothing up to 1 GiB.
#[cfg(any(feature = "std", feature = "test-util"))]
pub(crate) fn probe_allocator(min_bytes: usize) -> Result<(), ReserveError> {
    if min_bytes <= PROBE_ABOVE {
        return Ok(());
    }
    let mut probe = alloc::vec::Vec::<u8>::new();
    let refused = probe.try_reserve_exact(min_bytes).is_err();
    // Without this the allocation may be optimised away, and so succeed.
    core::hint::black_box(&mut probe);
    if refused {
        return Err(ReserveError::OutOfMemory {
            requested: min_bytes,
        });
    }
    Ok(())
}

/// Refuses an answer that has data in it, or less capacity than asked for. The
/// refused buffer is dropped, so its blocks go back.
#[inline]
pub(crate) fn check_delivery(min_bytes: usize, buf: BytesBuf) -> Result<BytesBuf, ReserveError> {
    let (len, capacity) = (buf.len(), buf.remaining_capacity());
    if len == 0 && capacity >= min_bytes {
        return Ok(buf);
    }
    Err(ReserveError::BrokenProvider {
        requested: min_bytes,
        capacity,
        len,
    })
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn requests_up_to_the_largest_object_pass() {
        assert!(check_request(0).is_ok());
        assert!(check_request(MAX_REQUEST).is_ok());
        let error = check_request(MAX_REQUEST + 1).unwrap_err();
        assert!(matches!(
            error,
            ReserveError::TooLarge { requested, max } if requested == MAX_REQUEST + 1 && max == MAX_REQUEST
        ));
    }

    #[test]
    fn an_empty_answer_to_a_request_for_nothing_is_right() {
        assert!(check_delivery(0, BytesBuf::new()).is_ok());
    }

    #[test]
    fn too_little_capacity_is_refused_with_the_numbers() {
        let error = check_delivery(1, BytesBuf::new()).unwrap_err();
        assert!(matches!(
            error,
            ReserveError::BrokenProvider {
                requested: 1,
                capacity: 0,
                len: 0
            }
        ));
    }

    #[test]
    #[cfg(all(
        target_pointer_width = "64",
        any(feature = "std", feature = "test-util")
    ))]
    #[cfg_attr(miri, ignore = "miri does not refuse large allocations")]
    fn the_allocator_refuses_all_of_the_address_space() {
        assert!(probe_allocator(PROBE_ABOVE).is_ok());
        let error = probe_allocator(MAX_REQUEST).unwrap_err();
        assert!(matches!(
            error,
            ReserveError::OutOfMemory {
                requested: MAX_REQUEST
            }
        ));
    }
}
