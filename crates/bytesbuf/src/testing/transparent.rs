//! Exactly the memory that was asked for.

use core::num::NonZero;

use bytesbuf_core::{BlockSize, ReserveError};

use super::heap_block;
use crate::BytesBuf;
use crate::error::panics;
use crate::mem::{Memory, check_request, probe_allocator};

/// A [`Memory`] that gives exactly as many bytes as are asked for, in one block:
/// nothing is pooled, nothing is rounded.
///
/// Above 4 GiB, several blocks, all but the last of `u32::MAX` bytes. For 0, no
/// block. One allocation per block, freed at its last release; no metadata.
///
/// # Examples
/// ```
/// use bytesbuf::mem::testing::TransparentMemory;
///
/// let memory = TransparentMemory::new();
/// assert_eq!(memory.reserve(37).capacity(), 37);
/// assert_eq!(memory.reserve(0).capacity(), 0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct TransparentMemory {
    _private: (),
}

impl TransparentMemory {
    /// The provider. Has no state.
    #[must_use]
    pub const fn new() -> Self {
        Self { _private: () }
    }

    /// See [`Memory::reserve`]. Gives exactly `len` bytes.
    ///
    /// # Panics
    /// If the allocator has no more memory.
    #[must_use]
    pub fn reserve(&self, len: usize) -> BytesBuf {
        match self.try_reserve(len) {
            Ok(buf) => buf,
            Err(error) => panics::reserve_failed(&error),
        }
    }

    /// See [`Memory::try_reserve`]. Gives exactly `len` bytes.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] above `isize::MAX` bytes,
    /// [`ReserveError::OutOfMemory`] if the allocator refuses.
    pub fn try_reserve(&self, len: usize) -> Result<BytesBuf, ReserveError> {
        check_request(len)?;
        probe_allocator(len)?;
        let mut buf = BytesBuf::new();
        buf.try_places(len.div_ceil(BlockSize::MAX as usize))?;
        let mut left = len;
        loop {
            let size = BlockSize::try_from(left).unwrap_or(BlockSize::MAX);
            let Some(size) = NonZero::new(size) else {
                return Ok(buf);
            };
            buf.push_block_back(heap_block::allocate(size)?);
            left -= size.get() as usize;
        }
    }
}

impl Memory for TransparentMemory {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve(min_bytes)
    }

    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        self.try_reserve(min_bytes)
    }
}
