//! W5: get numbers, each used on its own. W5m: the same over spans of 4 KiB.
//!
//! One operation is one number, so the view is as long as the run.

use std::hint::black_box;

use bytesbuf::BytesView;
use bytesbuf::mem::GlobalPool;

use crate::{Path, views};

const NUMBER: usize = size_of::<u64>();
const SPAN: usize = 4096;

/// Get a `u64`.
#[derive(Debug)]
pub struct GetU64 {
    view: BytesView,
    _pool: GlobalPool,
}

impl GetU64 {
    /// Of one span that holds so many numbers.
    #[must_use]
    pub fn contiguous(numbers: usize) -> Self {
        let pool = GlobalPool::new();
        let mut buf = pool.reserve_contiguous(numbers * NUMBER);
        buf.put_slice(vec![0xA5; numbers * NUMBER].as_slice());
        let view = buf.consume_all();
        assert_eq!(view.slices().count(), 1);
        Self { view, _pool: pool }
    }

    /// Of spans of 4 KiB that hold at least so many numbers.
    #[must_use]
    pub fn spans(numbers: usize) -> Self {
        let spans = (numbers * NUMBER).div_ceil(SPAN);
        let pool = GlobalPool::new();
        let view = views::of_spans(&pool, spans, SPAN);
        assert_eq!(view.slices().count(), spans);
        Self { view, _pool: pool }
    }
}

impl Path for GetU64 {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            black_box(self.view.get_num_le::<u64>());
        }
    }
}
