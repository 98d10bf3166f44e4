//! W6: put numbers and bytes, one an operation. W7: `put_slice` of 64 KiB.

use std::hint::black_box;

use bytesbuf::BytesBuf;
use bytesbuf::mem::GlobalPool;

use crate::Path;

const COPIED: usize = 64 * 1024;

/// Put a `u64`.
#[derive(Debug)]
pub struct PutU64 {
    buf: BytesBuf,
}

impl PutU64 {
    /// With room for so many in one block, and for one more.
    #[must_use]
    pub fn new(numbers: usize) -> Self {
        let buf = GlobalPool::new().reserve_contiguous((numbers + 1) * size_of::<u64>());
        Self { buf }
    }
}

impl Path for PutU64 {
    #[inline]
    fn run(&mut self, times: usize) {
        for value in 0..times as u64 {
            self.buf.put_num_le(value);
        }
    }
}

/// Put a byte.
#[derive(Debug)]
pub struct PutByte {
    buf: BytesBuf,
}

impl PutByte {
    /// With room for so many in one block, and for one more.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let buf = GlobalPool::new().reserve_contiguous(bytes + 1);
        Self { buf }
    }
}

impl Path for PutByte {
    #[inline]
    fn run(&mut self, times: usize) {
        for value in 0..times {
            self.buf.put_byte(value as u8);
        }
    }
}

/// As the source of a copy: where it begins in a page decides how the C library copies.
#[repr(align(4096))]
struct Page([u8; COPIED]);

static SOURCE: Page = Page([0xA5; COPIED]);

/// Reserve 64 KiB, copy a slice of that length in, drop.
#[derive(Debug)]
pub struct PutSlice {
    pool: GlobalPool,
}

impl PutSlice {
    /// With a pool of its own.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the benches make one")]
    pub fn new() -> Self {
        let pool = GlobalPool::new();
        Self { pool }
    }
}

impl Path for PutSlice {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let mut buf = self.pool.reserve(COPIED);
            buf.put_slice(black_box(SOURCE.0.as_slice()));
            black_box(&buf);
        }
    }
}
