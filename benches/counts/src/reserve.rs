//! W1: reserve and drop.

use std::hint::black_box;

use bytesbuf::mem::GlobalPool;

use crate::Path;

/// Reserve so many bytes, drop.
#[derive(Debug)]
pub struct Reserve {
    pool: GlobalPool,
    bytes: usize,
}

impl Reserve {
    /// Of a pool of its own.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let pool = GlobalPool::new();
        Self { pool, bytes }
    }
}

impl Path for Reserve {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let buf = self.pool.reserve(black_box(self.bytes));
            black_box(&buf);
        }
    }
}

/// The same in one block.
#[derive(Debug)]
pub struct Contiguous {
    pool: GlobalPool,
    bytes: usize,
}

impl Contiguous {
    /// Of a pool of its own.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let pool = GlobalPool::new();
        Self { pool, bytes }
    }
}

impl Path for Contiguous {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let buf = self.pool.reserve_contiguous(black_box(self.bytes));
            black_box(&buf);
        }
    }
}
