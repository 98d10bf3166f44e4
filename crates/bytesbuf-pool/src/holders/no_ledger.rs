//! Stands in for the ledger where no block is recorded: nothing, of no size.

#[cfg(feature = "holders")]
use std::sync::Arc;

use crate::header::PoolBlock;
#[cfg(feature = "holders")]
use crate::holders::Record;

pub(crate) struct Ledger;

#[derive(Clone)]
pub(crate) struct Tag;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling;

const _: () = assert!(size_of::<(Ledger, Tag, Sampling)>() == 0);

impl Tag {
    pub(crate) const NONE: Self = Self;

    #[cfg(feature = "holders")]
    pub(crate) fn new(_tag: Arc<str>) -> Self {
        Self
    }

    #[cfg(feature = "holders")]
    pub(crate) const fn get(&self) -> Option<&str> {
        None
    }
}

impl Sampling {
    pub(crate) const OFF: Self = Self;

    #[cfg(feature = "holders")]
    pub(crate) const fn one_in(_rentals: usize) -> Self {
        Self
    }
}

impl Ledger {
    pub(crate) const ON: bool = false;

    pub(crate) const fn new(_sampling: Sampling) -> Self {
        Self
    }

    #[inline]
    pub(crate) const fn enter(&self, _block: &PoolBlock, _tag: &Tag) {}

    #[inline]
    pub(crate) const fn strike(&self, _block: &PoolBlock) {}

    #[cfg(feature = "holders")]
    pub(crate) const fn read(&self) -> (Vec<Record>, usize) {
        (Vec::new(), 0)
    }
}
