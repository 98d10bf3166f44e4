//! A view as a reader of the standard library.

use std::io::{self, BufRead, IoSliceMut, Read};
use std::string::String;
use std::vec::Vec;

use super::BytesView;

/// Reading consumes the view. Never blocks.
impl Read for BytesView {
    /// Fills as much of `buf` as there are bytes, across slices.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = buf.len().min(self.len());
        self.copy_to_slice(&mut buf[..count]);
        Ok(count)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut total = 0;
        for buf in bufs {
            let count = self.read(buf)?;
            total += count;
            if count < buf.len() {
                break;
            }
        }
        Ok(total)
    }

    /// Fills all of `buf`.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if there are fewer bytes;
    /// nothing is consumed then.
    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.try_copy_to_slice(buf)
            .map_err(|error| io::Error::new(io::ErrorKind::UnexpectedEof, error))
    }

    /// Appends everything to `buf`. One reservation.
    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        let len = self.len();
        buf.try_reserve(len)?;
        self.consume_all_slices(|slice| buf.extend_from_slice(slice));
        Ok(len)
    }

    /// Appends everything to `buf`.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData) if the bytes are not UTF-8;
    /// nothing is consumed then.
    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        let len = self.len();
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len)?;
        for (slice, _) in self.slices() {
            bytes.extend_from_slice(slice);
        }
        let text = core::str::from_utf8(&bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        buf.try_reserve(len)?;
        buf.push_str(text);
        *self = Self::new();
        Ok(len)
    }
}

/// Reading consumes the view. Never blocks.
impl BufRead for BytesView {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.first_slice())
    }

    /// [`advance`](BytesView::advance).
    ///
    /// # Panics
    /// If `amount` is more than what is left in the view.
    fn consume(&mut self, amount: usize) {
        self.advance(amount);
    }
}
