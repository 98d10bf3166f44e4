//! W2: a 128-byte message in a new builder, finished in four ways. W2s: in one that lives on.

use std::hint::black_box;

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

use crate::Path;

const PAYLOAD: usize = 112;
const MESSAGE: usize = 16 + PAYLOAD;

/// A header of four numbers, then the payload.
#[inline]
fn write(buf: &mut BytesBuf, payload: &[u8; PAYLOAD]) {
    buf.put_num_be(0x1234_u16);
    buf.put_num_be(0x0102_u16);
    buf.put_num_be(PAYLOAD as u32);
    buf.put_num_be(0x0123_4567_89AB_CDEF_u64);
    buf.put_slice(payload.as_slice());
}

/// The four ways differ in one expression each.
macro_rules! new_builder {
    ($(#[$doc:meta])* $name:ident, |$pool:ident, $payload:ident| $message:expr, $finish:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            pool: GlobalPool,
            payload: [u8; PAYLOAD],
        }

        impl $name {
            /// With a pool of its own.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "only the benches make one")]
            pub fn new() -> Self {
                let pool = GlobalPool::new();
                Self { pool, payload: [0xA5; PAYLOAD] }
            }
        }

        impl Path for $name {
            #[inline]
            fn run(&mut self, times: usize) {
                for _ in 0..times {
                    let ($pool, $payload) = (&self.pool, black_box(&self.payload));
                    $finish($message);
                }
            }
        }
    };
}

new_builder!(
    /// `consume_all`; the view stays where it is, then the builder and it are dropped.
    InPlace,
    |pool, payload| {
        let mut buf = pool.reserve(MESSAGE);
        write(&mut buf, payload);
        buf.consume_all()
    },
    |view: BytesView| {
        black_box(&view);
    }
);

new_builder!(
    /// `consume_all`; the view is moved before it is dropped.
    Moved,
    |pool, payload| {
        let mut buf = pool.reserve(MESSAGE);
        write(&mut buf, payload);
        buf.consume_all()
    },
    |view| drop(black_box(view))
);

new_builder!(
    /// The builder becomes the view.
    ByValue,
    |pool, payload| {
        let mut buf = pool.reserve(MESSAGE);
        write(&mut buf, payload);
        BytesView::from(buf)
    },
    |view: BytesView| {
        black_box(&view);
    }
);

new_builder!(
    /// `BytesBuf::new()`, then `reserve`.
    NewAndReserve,
    |pool, payload| {
        let mut buf = BytesBuf::new();
        buf.reserve(MESSAGE, pool);
        write(&mut buf, payload);
        buf.consume_all()
    },
    |view: BytesView| {
        black_box(&view);
    }
);

/// W2s.
#[derive(Debug)]
pub struct LivingBuilder {
    pool: GlobalPool,
    buf: BytesBuf,
    payload: [u8; PAYLOAD],
}

impl LivingBuilder {
    /// A builder on blocks of 1 KiB: eight messages each.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the benches make one")]
    pub fn new() -> Self {
        let pool = GlobalPool::new();
        Self {
            buf: pool.reserve(1024),
            pool,
            payload: [0xA5; PAYLOAD],
        }
    }

    #[inline]
    pub(crate) fn message(&mut self) -> BytesView {
        self.buf.reserve(MESSAGE, &self.pool);
        write(&mut self.buf, black_box(&self.payload));
        self.buf.consume_all()
    }
}

impl Path for LivingBuilder {
    #[inline]
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let view = self.message();
            black_box(&view);
        }
    }
}
