//! Ours and the two published crates of that name: one text for the three, since
//! their interfaces are (nearly) the same.

use super::{Build, Gather, Peer, Reserve, Share};

/// The crate of this repository.
#[derive(Debug)]
pub enum Ours {}

/// The same, asked for one contiguous block whatever the size.
#[derive(Debug)]
pub enum OursContiguous {}

/// The published 0.4.2.
#[derive(Debug)]
pub enum Bb04 {}

/// The published 0.12.
#[derive(Debug)]
pub enum Bb12 {}

/// `$le` and `$be` put a number: 0.4 is generic over its type, 0.12 has a method for each.
macro_rules! bytesbuf_peer {
    (
        $name:ident, $krate:ident,
        be: $be16:ident $be32:ident $be64:ident, le: $le64:ident, get: $get64:ident,
        split_to: |$view:ident, $len:ident| $split_to:expr,
        trim: |$pool:ident| $trim:expr $(,)?
    ) => {
        impl Reserve for $name {
            const PEER: Peer = Peer::$name;
            type Pool = $krate::mem::GlobalPool;
            type Buf = $krate::BytesBuf;
            type Filled = $krate::BytesBuf;

            #[inline]
            fn pool() -> Self::Pool {
                $krate::mem::GlobalPool::new()
            }

            #[inline]
            fn reserve(pool: &Self::Pool, min_bytes: usize) -> Self::Buf {
                pool.reserve(min_bytes)
            }

            #[inline]
            fn fill(mut buf: Self::Buf, bytes: &[u8]) -> Self::Filled {
                buf.put_slice(bytes);
                buf
            }

            fn contents(filled: &mut Self::Filled) -> Vec<u8> {
                <Self as Build>::bytes_of(&filled.peek())
            }

            fn trim($pool: &Self::Pool) -> bool {
                $trim
            }
        }

        impl Build for $name {
            type View = $krate::BytesView;

            #[inline]
            fn build(
                pool: &Self::Pool,
                min_bytes: usize,
                fill: impl FnOnce(&mut Self::Buf),
            ) -> Self::View {
                let mut buf = pool.reserve(min_bytes);
                fill(&mut buf);
                buf.consume_all()
            }

            #[inline]
            fn put_slice(buf: &mut Self::Buf, bytes: &[u8]) {
                buf.put_slice(bytes);
            }

            #[inline]
            fn put_u8(buf: &mut Self::Buf, value: u8) {
                buf.put_byte(value);
            }

            #[inline]
            fn put_u16_be(buf: &mut Self::Buf, value: u16) {
                buf.$be16(value);
            }

            #[inline]
            fn put_u32_be(buf: &mut Self::Buf, value: u32) {
                buf.$be32(value);
            }

            #[inline]
            fn put_u64_be(buf: &mut Self::Buf, value: u64) {
                buf.$be64(value);
            }

            #[inline]
            fn put_u64_le(buf: &mut Self::Buf, value: u64) {
                buf.$le64(value);
            }

            fn bytes_of(view: &Self::View) -> Vec<u8> {
                let mut bytes = vec![0; view.len()];
                view.clone().copy_to_slice(&mut bytes);
                bytes
            }
        }

        impl Share for $name {
            #[inline]
            fn refill(pool: &Self::Pool, buf: &mut Self::Buf, additional: usize) {
                buf.reserve(additional, pool);
            }

            #[inline]
            fn filled_len(buf: &Self::Buf) -> usize {
                buf.len()
            }

            #[inline]
            fn take(buf: &mut Self::Buf, len: usize) -> Self::View {
                buf.consume(len)
            }

            #[inline]
            fn take_all(buf: &mut Self::Buf) -> Self::View {
                buf.consume_all()
            }

            #[inline]
            fn share(view: &Self::View) -> Self::View {
                view.clone()
            }

            #[inline]
            fn first(view: &Self::View, len: usize) -> Self::View {
                view.range(0..len)
            }

            #[inline]
            fn split_to($view: &mut Self::View, $len: usize) -> Self::View {
                $split_to
            }

            fn contiguous(bytes: Vec<u8>) -> Self::View {
                ::bytes::Bytes::from(bytes).into()
            }

            #[inline]
            fn get_u64_le(view: &mut Self::View) -> u64 {
                view.$get64()
            }
        }

        impl Gather for $name {
            type Many = $krate::BytesView;
            type Framed = $krate::BytesView;

            fn gather(views: Vec<Self::View>) -> Self::Many {
                $krate::BytesView::from_views(views)
            }

            #[inline]
            fn share_many(many: &Self::Many) -> Self::Many {
                many.clone()
            }

            #[inline]
            fn get_u64_le_many(many: &mut Self::Many) -> u64 {
                many.$get64()
            }

            #[inline]
            fn frame(
                pool: &Self::Pool,
                header_len: usize,
                header: impl FnOnce(&mut Self::Buf),
                payload: &Self::View,
            ) -> Self::Framed {
                let mut buf = pool.reserve(header_len);
                header(&mut buf);
                buf.put_bytes(payload.clone());
                buf.consume_all()
            }

            #[inline]
            fn parts(framed: &Self::Framed, mut each: impl FnMut(&[u8])) {
                for (part, _) in framed.slices() {
                    each(part);
                }
            }
        }
    };
}

bytesbuf_peer!(
    Ours, bytesbuf,
    be: put_u16_be put_u32_be put_u64_be, le: put_u64_le, get: get_u64_le,
    split_to: |view, len| view.split_to(len),
    trim: |pool| {
        pool.trim();
        true
    },
);

bytesbuf_peer!(
    Bb04, bb04,
    be: put_num_be put_num_be put_num_be, le: put_num_le, get: get_num_le,
    split_to: |view, len| {
        let head = view.range(0..len);
        view.advance(len);
        head
    },
    trim: |_pool| false,
);

bytesbuf_peer!(
    Bb12, bb12,
    be: put_u16_be put_u32_be put_u64_be, le: put_u64_le, get: get_u64_le,
    split_to: |view, len| {
        let head = view.range(0..len);
        view.advance(len);
        head
    },
    trim: |_pool| false,
);

impl Reserve for OursContiguous {
    const PEER: Peer = Peer::Ours;
    type Pool = <Ours as Reserve>::Pool;
    type Buf = <Ours as Reserve>::Buf;
    type Filled = <Ours as Reserve>::Filled;

    #[inline]
    fn pool() -> Self::Pool {
        <Ours as Reserve>::pool()
    }

    #[inline]
    fn reserve(pool: &Self::Pool, min_bytes: usize) -> Self::Buf {
        pool.reserve_contiguous(min_bytes)
    }

    #[inline]
    fn fill(buf: Self::Buf, bytes: &[u8]) -> Self::Filled {
        <Ours as Reserve>::fill(buf, bytes)
    }

    fn contents(filled: &mut Self::Filled) -> Vec<u8> {
        <Ours as Reserve>::contents(filled)
    }
}
