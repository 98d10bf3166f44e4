//! Writing to several blocks at once, by the hand of a reader that takes a list of
//! slices.
#![expect(unsafe_code, reason = "hands out disjoint unfilled slices")]

use alloc::collections::vec_deque;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use bytesbuf_core::BlockMeta;

use super::BytesBuf;
use crate::MemoryGuard;
use crate::error::panics;
use crate::open_block::OpenBlock;

impl BytesBuf {
    /// Begins a write to all unfilled slices at once, or to the first `max_len` bytes
    /// of them.
    ///
    /// # Panics
    /// If `max_len` is more than [`remaining_capacity`](Self::remaining_capacity).
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let mut buf = GlobalPool::new().reserve(100_000);
    /// let mut write = buf.begin_vectored_write(None);
    /// let mut written = 0;
    /// for (slice, _meta) in write.slices_mut() {
    ///     slice[0].write(b'x');
    ///     written = 1;
    ///     break;
    /// }
    /// // SAFETY: the first byte is initialised.
    /// unsafe { write.commit(written) };
    /// assert_eq!(buf.consume_all(), b"x");
    /// ```
    #[track_caller]
    pub fn begin_vectored_write(&mut self, max_len: Option<usize>) -> BytesBufVectoredWrite<'_> {
        let remaining = self.remaining_capacity();
        let limit = max_len.unwrap_or(remaining);
        if limit > remaining {
            panics::vectored_past_capacity(limit, remaining);
        }
        BytesBufVectoredWrite { buf: self, limit }
    }

    /// Like [`begin_vectored_write`](Self::begin_vectored_write), or `None` if there
    /// is less capacity than `max_len`.
    #[must_use]
    pub fn begin_vectored_write_checked(
        &mut self,
        max_len: Option<usize>,
    ) -> Option<BytesBufVectoredWrite<'_>> {
        let remaining = self.remaining_capacity();
        let limit = max_len.unwrap_or(remaining);
        (limit <= remaining).then_some(BytesBufVectoredWrite { buf: self, limit })
    }
}

/// A write to the unfilled slices of a buffer, made by
/// [`BytesBuf::begin_vectored_write`]. Dropped without
/// [`commit`](Self::commit), it leaves the buffer as it was.
///
/// # Examples
/// ```
/// use bytesbuf::mem::GlobalPool;
///
/// let mut buf = GlobalPool::new().reserve(10);
/// let mut write = buf.begin_vectored_write(Some(10));
/// assert_eq!(write.slices_mut().map(|(slice, _)| slice.len()).sum::<usize>(), 10);
/// drop(write);
/// assert!(buf.is_empty());
/// ```
#[derive(Debug)]
pub struct BytesBufVectoredWrite<'a> {
    buf: &'a mut BytesBuf,
    limit: usize,
}

impl BytesBufVectoredWrite<'_> {
    /// The slices to write to, front to back, each with the metadata of its block.
    /// All of them can be held at once.
    pub fn slices_mut(&mut self) -> BytesBufRemaining<'_> {
        let first = self.buf.first_unfilled_slice();
        let (first, len) = (NonNull::from(&mut *first).cast(), first.len());
        let buf = &*self.buf;
        BytesBufRemaining {
            first: (len > 0).then_some((first, len, buf.first_unfilled_slice_meta())),
            later: buf.later(),
            limit: self.limit,
            _slices: PhantomData,
        }
    }

    /// Keeps the memory of the buffer in use, for a write that outlives this value.
    pub fn extend_lifetime(&self) -> MemoryGuard {
        self.buf.extend_lifetime()
    }

    /// Ends the write: the first `bytes_written` bytes are data now.
    ///
    /// # Panics
    /// If that is more than the `max_len` that the write began with, or more than the
    /// remaining capacity; nothing changes then.
    ///
    /// # Safety
    /// The first `bytes_written` bytes of the slices, counted front to back without
    /// gaps, are initialised.
    #[track_caller]
    pub unsafe fn commit(self, bytes_written: usize) {
        if bytes_written > self.limit {
            panics::commit_past_limit(bytes_written, self.limit);
        }
        let mut missing = bytes_written;
        while missing > 0 {
            // B3: not empty while there is capacity, and `limit` is within it.
            let now = missing.min(self.buf.first_unfilled_len());
            // SAFETY: the caller has initialised these bytes.
            unsafe { self.buf.advance(now) };
            missing -= now;
        }
    }
}

/// Address, length in bytes and metadata of an unfilled slice.
type RawSlice<'a> = (NonNull<MaybeUninit<u8>>, usize, Option<&'a dyn BlockMeta>);

/// Iterator over the unfilled slices of a buffer, made by
/// [`BytesBufVectoredWrite::slices_mut`].
///
/// **U1** The slices are disjoint, and the exclusive borrow of the buffer for `'a`
/// makes them the iterator's to hand out, each once.
///
/// # Examples
/// ```
/// use bytesbuf::mem::GlobalPool;
///
/// let mut buf = GlobalPool::new().reserve(200_000);
/// let mut write = buf.begin_vectored_write(None);
/// let slices: Vec<_> = write.slices_mut().collect();
/// assert_eq!(slices.len(), 4); // blocks of 64 KiB
/// ```
pub struct BytesBufRemaining<'a> {
    first: Option<RawSlice<'a>>,
    later: Option<vec_deque::Iter<'a, OpenBlock>>,
    limit: usize,
    _slices: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

// SAFETY: exclusive access to plain bytes (U1), shared access to metadata, which is
// Sync.
unsafe impl Send for BytesBufRemaining<'_> {}
// SAFETY: a shared iterator gives access to nothing.
unsafe impl Sync for BytesBufRemaining<'_> {}

// Metadata is only ever seen shared, and no panic of ours leaves it half changed.
impl core::panic::RefUnwindSafe for BytesBufRemaining<'_> {}

impl<'a> Iterator for BytesBufRemaining<'a> {
    type Item = (&'a mut [MaybeUninit<u8>], Option<&'a dyn BlockMeta>);

    fn next(&mut self) -> Option<Self::Item> {
        let (ptr, len, meta) = match self.first.take() {
            Some(first) => first,
            None if self.limit == 0 => return None,
            None => {
                let block = self.later.as_mut()?.next()?;
                (block.ptr, block.len, block.meta())
            }
        };
        let len = len.min(self.limit);
        self.limit -= len;
        // SAFETY: U1, and B2 or O1: `len` bytes that are the buffer's alone to write.
        let slice = unsafe { core::slice::from_raw_parts_mut(ptr.as_ptr(), len) };
        Some((slice, meta))
    }
}

impl fmt::Debug for BytesBufRemaining<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesBufRemaining")
            .field("bytes", &self.limit)
            .finish_non_exhaustive()
    }
}
