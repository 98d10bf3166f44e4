//! Small helpers.

use bytesbuf_core::Block;
use bytesbuf_pool::{ClassStats, GlobalPool};

/// Bytes in the smallest blocks of a pool with default settings.
pub(crate) const SMALL: usize = 1024;
/// Bytes in its largest ordinary blocks.
pub(crate) const LARGE: usize = 65_536;
/// Bytes in all its ordinary blocks.
pub(crate) const SIZES: [usize; 4] = [SMALL, 4096, 16_384, LARGE];

/// Whether free blocks are kept: not if each block is to be an allocation of its own.
pub(crate) const CACHES: bool = !cfg!(bytesbuf_pass_through);

/// Whether the magazines of idle threads can be reached.
pub(crate) const REACHES: bool = cfg!(any(target_os = "linux", miri));

pub(crate) fn class_stats(pool: &GlobalPool, size: usize) -> ClassStats {
    let stats = pool.stats();
    let found = stats
        .classes()
        .find(|class| class.block_size().get() as usize == size);
    found.expect("statistics cover every class")
}

pub(crate) fn rent(pool: &GlobalPool, size: usize, blocks: usize) -> Vec<Block> {
    (0..blocks).map(|_| pool.rent(size).unwrap()).collect()
}

/// Rounds of a repetitive test: fewer under miri.
pub(crate) const fn rounds(natively: usize) -> usize {
    if cfg!(miri) { 8 } else { natively }
}
