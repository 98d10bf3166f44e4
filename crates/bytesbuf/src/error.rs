//! Errors of the checked methods, and the panics of the others, kept out of line
//! and with numbers in them.

/// A read asked for more bytes than the view has. Nothing was consumed.
///
/// # Examples
/// ```
/// use bytesbuf::BytesView;
///
/// let mut view = BytesView::from_static(b"abc");
/// let error = view.try_get_u32_be().unwrap_err();
/// assert_eq!((error.requested, error.available), (4, 3));
/// assert_eq!(view, b"abc");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{requested} bytes requested, {available} available")]
#[non_exhaustive]
pub struct NotEnoughBytes {
    /// Bytes asked for.
    pub requested: usize,
    /// Bytes that there are.
    pub available: usize,
}

impl NotEnoughBytes {
    #[inline]
    pub(crate) const fn new(requested: usize, available: usize) -> Self {
        Self {
            requested,
            available,
        }
    }
}

/// A write asked for more capacity than the buffer has. Nothing was written.
///
/// # Examples
/// ```
/// use bytesbuf::BytesBuf;
///
/// let error = BytesBuf::new().try_put_slice(b"abc").unwrap_err();
/// assert_eq!((error.requested, error.remaining), (3, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{requested} bytes of capacity needed, {remaining} remaining")]
#[non_exhaustive]
pub struct NotEnoughCapacity {
    /// Bytes to be written.
    pub requested: usize,
    /// Bytes of capacity that there are.
    pub remaining: usize,
}

impl NotEnoughCapacity {
    #[inline]
    pub(crate) const fn new(requested: usize, remaining: usize) -> Self {
        Self {
            requested,
            remaining,
        }
    }
}

/// Ends a call that its documentation says panics.
pub(crate) mod panics {
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn read_past_end(requested: usize, available: usize) -> ! {
        panic!("attempted to read {requested} bytes from a view of {available} bytes")
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn advance_past_end(requested: usize, available: usize) -> ! {
        panic!(
            "attempted to advance past end of the view: by {requested} bytes, {available} available"
        )
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn range_out_of_bounds(len: usize) -> ! {
        panic!("provided range out of view bounds: the view has {len} bytes")
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn length_overflow(len: usize, more: usize) -> ! {
        panic!("length would exceed usize::MAX: {len} bytes and {more} more")
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn capacity_overflow(capacity: usize, more: usize) -> ! {
        panic!("capacity would exceed usize::MAX: {capacity} bytes and {more} more")
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn consume_past_end(requested: usize, available: usize) -> ! {
        panic!(
            "attempted to consume more bytes than available in buffer: {requested} requested, \
             {available} available"
        )
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn no_capacity(requested: usize, remaining: usize) -> ! {
        panic!("attempted to write {requested} bytes into {remaining} bytes of remaining capacity")
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn split_past_capacity(requested: usize, remaining: usize) -> ! {
        panic!(
            "attempted to split off {requested} bytes of {remaining} bytes of remaining capacity"
        )
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn advance_past_slice(requested: usize, available: usize) -> ! {
        panic!(
            "attempted to advance by {requested} bytes, the first unfilled slice has {available}"
        )
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn vectored_past_capacity(requested: usize, remaining: usize) -> ! {
        panic!(
            "attempted a vectored write of at most {requested} bytes into {remaining} bytes of \
             remaining capacity"
        )
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn commit_past_limit(written: usize, limit: usize) -> ! {
        panic!("attempted to commit {written} bytes of a vectored write limited to {limit} bytes")
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn reserve_failed(error: &bytesbuf_core::ReserveError) -> ! {
        panic!("cannot reserve memory: {error}")
    }
}
