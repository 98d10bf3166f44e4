//! ntex-bytes: a fork of bytes whose count stands in front of the data, with small
//! sequences inline.
//!
//! Its pages are not asked for: their capacity is the page less a header, so none of
//! them holds 1, 4 or 64 KiB.

use std::collections::VecDeque;

use ntex_bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Build, Gather, Peer, Reserve, Share};

/// The ntex-bytes crate.
#[derive(Debug)]
pub enum Ntex {}

/// What its user reads several of them through.
#[derive(Clone, Debug)]
pub struct NtexList {
    parts: VecDeque<Bytes>,
    len: usize,
}

impl Reserve for Ntex {
    const PEER: Peer = Peer::Ntex;
    type Pool = ();
    type Buf = BytesMut;
    type Filled = BytesMut;

    fn pool() {}

    #[inline]
    fn reserve((): &(), min_bytes: usize) -> BytesMut {
        BytesMut::with_capacity(min_bytes)
    }

    #[inline]
    fn fill(mut buf: BytesMut, bytes: &[u8]) -> BytesMut {
        buf.extend_from_slice(bytes);
        buf
    }

    fn contents(filled: &mut BytesMut) -> Vec<u8> {
        filled.to_vec()
    }
}

impl Build for Ntex {
    type View = Bytes;

    #[inline]
    fn build((): &(), min_bytes: usize, fill: impl FnOnce(&mut BytesMut)) -> Bytes {
        let mut buf = BytesMut::with_capacity(min_bytes);
        fill(&mut buf);
        buf.freeze()
    }

    #[inline]
    fn put_slice(buf: &mut BytesMut, bytes: &[u8]) {
        buf.extend_from_slice(bytes);
    }

    #[inline]
    fn put_u8(buf: &mut BytesMut, value: u8) {
        buf.put_u8(value);
    }

    #[inline]
    fn put_u16_be(buf: &mut BytesMut, value: u16) {
        buf.put_u16(value);
    }

    #[inline]
    fn put_u32_be(buf: &mut BytesMut, value: u32) {
        buf.put_u32(value);
    }

    #[inline]
    fn put_u64_be(buf: &mut BytesMut, value: u64) {
        buf.put_u64(value);
    }

    #[inline]
    fn put_u64_le(buf: &mut BytesMut, value: u64) {
        buf.put_u64_le(value);
    }

    fn bytes_of(view: &Bytes) -> Vec<u8> {
        view.to_vec()
    }
}

impl Share for Ntex {
    #[inline]
    fn refill((): &(), buf: &mut BytesMut, additional: usize) {
        buf.reserve(additional);
    }

    #[inline]
    fn filled_len(buf: &BytesMut) -> usize {
        buf.len()
    }

    #[inline]
    fn take(buf: &mut BytesMut, len: usize) -> Bytes {
        buf.split_to(len)
    }

    #[inline]
    fn take_all(buf: &mut BytesMut) -> Bytes {
        buf.take()
    }

    #[inline]
    fn share(view: &Bytes) -> Bytes {
        view.clone()
    }

    #[inline]
    fn first(view: &Bytes, len: usize) -> Bytes {
        view.slice(0..len)
    }

    #[inline]
    fn split_to(view: &mut Bytes, len: usize) -> Bytes {
        view.split_to(len)
    }

    fn contiguous(bytes: Vec<u8>) -> Bytes {
        bytes.into()
    }

    #[inline]
    fn get_u64_le(view: &mut Bytes) -> u64 {
        view.get_u64_le()
    }
}

impl Gather for Ntex {
    type Many = NtexList;
    type Framed = [Bytes; 2];

    fn gather(views: Vec<Bytes>) -> NtexList {
        NtexList {
            len: views.iter().map(Bytes::len).sum(),
            parts: views.into(),
        }
    }

    #[inline]
    fn share_many(many: &NtexList) -> NtexList {
        many.clone()
    }

    #[inline]
    fn get_u64_le_many(many: &mut NtexList) -> u64 {
        many.get_u64_le()
    }

    #[inline]
    fn frame(
        (): &(),
        header_len: usize,
        header: impl FnOnce(&mut BytesMut),
        payload: &Bytes,
    ) -> [Bytes; 2] {
        [Self::build(&(), header_len, header), payload.clone()]
    }

    #[inline]
    fn parts(framed: &[Bytes; 2], mut each: impl FnMut(&[u8])) {
        for part in framed {
            each(part);
        }
    }
}

impl Buf for NtexList {
    #[inline]
    fn remaining(&self) -> usize {
        self.len
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.parts.front().map_or(&[], |part| part)
    }

    #[inline]
    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len, "advance beyond the end");
        self.len -= count;
        while count > 0 {
            let Some(front) = self.parts.front_mut() else {
                return;
            };
            if count < front.len() {
                front.advance_to(count);
                return;
            }
            count -= front.len();
            self.parts.pop_front();
        }
    }
}
