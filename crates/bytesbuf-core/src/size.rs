//! The unit in which blocks are measured.

/// Length of a block in bytes.
///
/// A block is at most 4 GiB less one byte long; larger capacity is several
/// blocks. 32 bits keep the handles of the layers above small.
pub type BlockSize = u32;
