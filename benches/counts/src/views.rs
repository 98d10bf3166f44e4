//! W3, W4: clone, range. W11, W11v: frames off a builder and off a view. W12: a header and
//! a payload that is not copied.

use std::hint::black_box;

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

use crate::Path;

const FRAME: usize = 100;
const HEADER: usize = 16;
const PAYLOAD: usize = 1024;

/// A view of spans that cannot merge: each in a block of its own.
pub(crate) fn of_spans(pool: &GlobalPool, spans: usize, bytes: usize) -> BytesView {
    let part = vec![0xA5; bytes];
    let parts = (0..spans).map(|_| BytesView::copied_from_slice(&part, pool));
    BytesView::from_views(parts.collect::<Vec<_>>())
}

/// W3: clone, drop.
#[derive(Debug)]
pub struct CloneView {
    view: BytesView,
}

impl CloneView {
    /// Of a view of so many spans.
    #[must_use]
    pub fn new(spans: usize) -> Self {
        let view = of_spans(&GlobalPool::new(), spans, 64);
        Self { view }
    }
}

impl Path for CloneView {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let clone = self.view.clone();
            black_box(&clone);
        }
    }
}

/// W4: a view of the first half, dropped.
#[derive(Debug)]
pub struct Range {
    view: BytesView,
}

impl Range {
    /// Of a view of 1 KiB.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the benches make one")]
    pub fn new() -> Self {
        let view = of_spans(&GlobalPool::new(), 1, 1024);
        Self { view }
    }
}

impl Path for Range {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let half = self.view.range(0..black_box(512));
            black_box(&half);
        }
    }
}

/// How the frames of W11 lie in memory.
#[derive(Clone, Copy, Debug)]
pub enum Lie {
    /// All in one block, which is what most frames see.
    OneBlock,
    /// In blocks of 64 KiB: now and then a frame lies in two, and each has blocks behind it.
    Blocks,
}

/// A builder with so many frames in it, and one byte.
fn stream(pool: &GlobalPool, frames: usize, lie: Lie) -> BytesBuf {
    let bytes = frames * FRAME + 1;
    let mut buf = match lie {
        Lie::OneBlock => pool.reserve_contiguous(bytes),
        Lie::Blocks => pool.reserve(bytes),
    };
    buf.put_slice(vec![0xA5; bytes].as_slice());
    buf
}

/// W11: a frame of 100 bytes off the builder, dropped.
#[derive(Debug)]
pub struct Consume {
    buf: BytesBuf,
    _pool: GlobalPool,
}

impl Consume {
    /// So many frames have arrived.
    #[must_use]
    pub fn new(frames: usize, lie: Lie) -> Self {
        let pool = GlobalPool::new();
        Self {
            buf: stream(&pool, frames, lie),
            _pool: pool,
        }
    }
}

impl Path for Consume {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let frame = self.buf.consume(black_box(FRAME));
            black_box(&frame);
        }
    }
}

/// W11v: a frame of 100 bytes off a view, dropped.
#[derive(Debug)]
pub struct SplitTo {
    view: BytesView,
    _pool: GlobalPool,
}

impl SplitTo {
    /// So many frames have arrived.
    #[must_use]
    pub fn new(frames: usize, lie: Lie) -> Self {
        let pool = GlobalPool::new();
        Self {
            view: stream(&pool, frames, lie).consume_all(),
            _pool: pool,
        }
    }
}

impl Path for SplitTo {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let frame = self.view.split_to(black_box(FRAME));
            black_box(&frame);
        }
    }
}

/// W12: a header, a payload appended without copying, consumed, iterated, dropped.
#[derive(Debug)]
pub struct Append {
    pool: GlobalPool,
    payload: BytesView,
}

impl Append {
    /// With a payload of 1 KiB.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the benches make one")]
    pub fn new() -> Self {
        let pool = GlobalPool::new();
        let payload = of_spans(&pool, 1, PAYLOAD);
        Self { pool, payload }
    }
}

impl Path for Append {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let mut buf = self.pool.reserve(HEADER);
            buf.put_num_be(0x0123_4567_89AB_CDEF_u64);
            buf.put_num_be(PAYLOAD as u64);
            buf.put_bytes(self.payload.clone());
            let framed = buf.consume_all();
            for (part, _) in black_box(&framed).slices() {
                black_box(part);
            }
        }
    }
}
