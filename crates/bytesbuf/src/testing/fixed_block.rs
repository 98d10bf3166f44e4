//! Memory in blocks of one size.

use core::num::NonZero;

use bytesbuf_core::{BlockSize, ReserveError};

use super::heap_block;
use crate::BytesBuf;
use crate::error::panics;
use crate::mem::{Memory, check_request, probe_allocator};

/// A [`Memory`] whose blocks all have the same size, which may be as small as one
/// byte: data in it is split where a test wants it.
///
/// As many blocks as the request needs, rounded up; none for 0. One allocation
/// per block, freed at its last release; no metadata.
///
/// # Examples
/// ```
/// use std::num::NonZero;
///
/// use bytesbuf::mem::testing::FixedBlockMemory;
///
/// let memory = FixedBlockMemory::new(NonZero::new(10).unwrap());
/// let mut buf = memory.reserve(25);
/// assert_eq!(buf.capacity(), 30);
/// assert_eq!(buf.first_unfilled_slice().len(), 10);
/// ```
#[derive(Debug, Clone)]
pub struct FixedBlockMemory {
    block_size: NonZero<BlockSize>,
}

impl FixedBlockMemory {
    /// A provider of blocks of `block_size` bytes.
    #[must_use]
    pub const fn new(block_size: NonZero<BlockSize>) -> Self {
        Self { block_size }
    }

    /// See [`Memory::reserve`]. Gives `min_bytes`, rounded up to whole blocks.
    ///
    /// # Panics
    /// If the allocator has no more memory.
    #[must_use]
    pub fn reserve(&self, min_bytes: usize) -> BytesBuf {
        match self.try_reserve(min_bytes) {
            Ok(buf) => buf,
            Err(error) => panics::reserve_failed(&error),
        }
    }

    /// See [`Memory::try_reserve`]. Gives `min_bytes`, rounded up to whole
    /// blocks.
    ///
    /// # Errors
    /// [`ReserveError::TooLarge`] above `isize::MAX` bytes,
    /// [`ReserveError::OutOfMemory`] if the allocator refuses.
    pub fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        check_request(min_bytes)?;
        probe_allocator(min_bytes)?;
        let mut buf = BytesBuf::new();
        let blocks = min_bytes.div_ceil(self.block_size.get() as usize);
        buf.try_places(blocks)?;
        for _ in 0..blocks {
            buf.push_block_back(heap_block::allocate(self.block_size)?);
        }
        Ok(buf)
    }
}

impl Memory for FixedBlockMemory {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.reserve(min_bytes)
    }

    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        self.try_reserve(min_bytes)
    }
}
