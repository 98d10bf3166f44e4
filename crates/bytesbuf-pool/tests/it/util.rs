//! Small helpers.

use bytesbuf_core::Block;
use bytesbuf_pool::{ClassStats, GlobalPool, SizeClass};

/// The class of 1 KiB blocks.
pub(crate) const SMALL: SizeClass = SizeClass::ALL[0];
/// The class of 64 KiB blocks.
pub(crate) const LARGE: SizeClass = SizeClass::ALL[3];

pub(crate) fn class_stats(pool: &GlobalPool, class: SizeClass) -> ClassStats {
    let size = class.block_size();
    let stats = pool.stats();
    let found = stats.classes().find(|class| class.block_size() == size);
    found.expect("statistics cover every class")
}

pub(crate) fn rent(pool: &GlobalPool, class: SizeClass, blocks: usize) -> Vec<Block> {
    (0..blocks).map(|_| pool.rent(class).unwrap()).collect()
}

/// Rounds of a repetitive test: fewer under miri.
pub(crate) const fn rounds(natively: usize) -> usize {
    if cfg!(miri) { 8 } else { natively }
}
