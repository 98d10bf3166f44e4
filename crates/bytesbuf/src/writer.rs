//! A buffer as a `std::io::Write`.

use std::io;

use bytesbuf_core::ReserveError;

use crate::BytesBuf;
use crate::mem::Memory;

/// Capacity that a first small write asks for, in bytes.
const FIRST: usize = 4096;

/// Capacity that other writes ask for at least, in bytes.
const NEXT: usize = 65_536;

/// Writes into a [`BytesBuf`] that grows as needed. Made by
/// [`BytesBuf::into_writer`].
///
/// Growth: nothing while the capacity suffices. A first write of up to 4,096
/// bytes into a buffer without capacity reserves 4,096 bytes. Otherwise the
/// buffer gets room for the write or for 65,536 bytes, whichever is more; only
/// the difference to what is left is asked of the provider.
///
/// # Examples
/// ```
/// use std::io::Write;
///
/// use bytesbuf::BytesBuf;
/// use bytesbuf::mem::GlobalPool;
///
/// let mut writer = BytesBuf::new().into_writer(GlobalPool::new());
/// write!(writer, "{} bottles", 99)?;
/// assert_eq!(writer.get_ref().len(), 10);
/// assert_eq!(writer.into_inner().consume_all(), b"99 bottles");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BytesBufWriter<M: Memory> {
    buf: BytesBuf,
    memory: M,
}

impl BytesBuf {
    /// Turns the buffer into a [`std::io::Write`] that reserves from `memory` as it
    /// needs to. `&dyn Memory` works as well.
    #[must_use]
    pub const fn into_writer<M: Memory>(self, memory: M) -> BytesBufWriter<M> {
        BytesBufWriter::new(self, memory)
    }
}

impl<M: Memory> BytesBufWriter<M> {
    pub(crate) const fn new(buf: BytesBuf, memory: M) -> Self {
        Self { buf, memory }
    }

    /// What has been written so far, after what was in the buffer before.
    #[must_use]
    pub const fn get_ref(&self) -> &BytesBuf {
        &self.buf
    }

    /// The buffer, with all that was written. The provider is dropped.
    #[must_use]
    pub fn into_inner(self) -> BytesBuf {
        let Self { buf, memory } = self;
        // While the buffer is no result yet: a provider that panics here does not leak it.
        drop(memory);
        buf
    }

    /// Makes room for a write of `len` bytes.
    #[inline]
    fn make_room(&mut self, len: usize) -> io::Result<()> {
        if len <= self.buf.remaining_capacity() {
            return Ok(());
        }
        self.grow(len)
    }

    #[cold]
    fn grow(&mut self, len: usize) -> io::Result<()> {
        let wanted = if self.buf.capacity() == 0 && len <= FIRST {
            FIRST
        } else {
            len.max(NEXT)
        };
        self.buf.try_reserve(wanted, &self.memory).map_err(refused)
    }
}

#[cold]
fn refused(error: ReserveError) -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, error)
}

/// Each write takes everything, or fails without having written anything: with
/// [`io::ErrorKind::OutOfMemory`] and the [`ReserveError`] inside
/// ([`io::Error::get_ref`]) when the provider refuses. Flushing does nothing.
impl<M: Memory> io::Write for BytesBufWriter<M> {
    #[inline]
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.make_room(data.len())?;
        self.buf.put_slice(data);
        Ok(data.len())
    }

    /// Takes all the slices, after one reservation for their total.
    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let mut total = 0_usize;
        for slice in slices {
            // One slice may be listed many times, so the sum may overflow.
            total = total.checked_add(slice.len()).ok_or_else(|| {
                refused(ReserveError::TooLarge {
                    requested: usize::MAX,
                    max: isize::MAX as usize,
                })
            })?;
        }
        self.make_room(total)?;
        for slice in slices {
            self.buf.put_slice(&**slice);
        }
        Ok(total)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
