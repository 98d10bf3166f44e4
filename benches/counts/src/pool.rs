//! The pool alone: rent 1 KiB, release. Once more with a budget.

use std::hint::black_box;

use bytesbuf_pool::{Budget, GlobalPool};

use crate::Path;

const BYTES: usize = 1024;

#[inline]
fn rent_and_release(pool: &GlobalPool, times: usize) {
    for _ in 0..times {
        let block = pool.rent(black_box(BYTES));
        black_box(&block);
    }
}

/// Rent, release.
#[derive(Debug)]
pub struct PoolAlone(GlobalPool);

impl PoolAlone {
    /// A pool of its own.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the benches make one")]
    pub fn new() -> Self {
        Self(GlobalPool::new())
    }
}

impl Path for PoolAlone {
    #[inline]
    fn run(&mut self, times: usize) {
        rent_and_release(&self.0, times);
    }
}

/// Rent and release through a handle with a budget of one level.
#[derive(Debug)]
pub struct Budgeted(GlobalPool);

impl Budgeted {
    /// A pool of its own, a budget with room.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the benches make one")]
    pub fn new() -> Self {
        Self(GlobalPool::new().with_budget(&Budget::new(1 << 20)))
    }
}

impl Path for Budgeted {
    #[inline]
    fn run(&mut self, times: usize) {
        rent_and_release(&self.0, times);
    }
}
