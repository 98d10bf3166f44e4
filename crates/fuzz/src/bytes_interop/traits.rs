//! The methods of the traits.
#![expect(unsafe_code, reason = "writes to the chunks of a BufMut, and says so")]

use std::io::{BufRead, ErrorKind, IoSliceMut, Read};

use bytes::{Buf, BufMut, Bytes};
use bytesbuf::BytesView;

use super::{Machine, Op};
use crate::amount::content;
use crate::attempt::call;

impl Machine {
    /// The methods of `BufMut`.
    pub(super) fn write(&mut self, x: usize, op: Op) {
        let (buf, model) = (&mut self.buf, &mut self.model);
        let remaining = model.remaining();
        assert_eq!(
            (buf.remaining_mut(), buf.has_remaining_mut()),
            (remaining, remaining > 0)
        );
        // The texts are those of `bytes`.
        let no_room = |len: usize| (len > remaining).then_some("");
        match op {
            Op::MutSlice(amount, seed) => {
                let bytes = content(seed, amount.about(remaining));
                if call(no_room(bytes.len()), || BufMut::put_slice(buf, &bytes)).is_some() {
                    model.fill(&bytes);
                }
            }
            Op::MutNumber(kind, bits) => {
                let bytes = bits.to_le_bytes();
                let len = [1, 2, 4, 8][usize::from(kind) % 4];
                let put = || match len {
                    1 => buf.put_u8(bytes[0]),
                    2 => buf.put_u16_le(bits as u16),
                    4 => BufMut::put_u32_le(buf, bits as u32),
                    _ => buf.put_u64(bits.swap_bytes()),
                };
                if call(no_room(len), put).is_some() {
                    model.fill(&bytes[..len]);
                }
            }
            Op::MutBytes(byte, amount) => {
                let count = amount.about(remaining);
                if call(no_room(count), || BufMut::put_bytes(buf, byte, count)).is_some() {
                    model.fill(&vec![byte; count]);
                }
            }
            Op::MutPut => {
                let view = self.values[x].to_view();
                if call(no_room(view.len()), || buf.put(view)).is_some() {
                    model.fill(&self.contents[x]);
                }
            }
            Op::MutChunk(amount, seed) => {
                let chunk = buf.chunk_mut();
                assert_eq!(chunk.len(), model.first());
                let count = amount.of(chunk.len());
                let bytes = content(seed, count.min(chunk.len()));
                chunk[..bytes.len()].copy_from_slice(&bytes);
                let panic = (count > bytes.len()).then_some("the first unfilled slice has");
                // SAFETY: as many bytes as there are have been initialised, and it
                // panics if that is not enough.
                if call(panic, || unsafe { buf.advance_mut(count) }).is_some() {
                    model.fill(&bytes);
                }
            }
            Op::MutLimit(amount, seed) => {
                let limit = amount.of(remaining);
                let bytes = content(seed, limit.min(remaining));
                let mut limited = buf.limit(limit);
                assert_eq!(limited.remaining_mut(), bytes.len());
                limited.put_slice(&bytes);
                model.fill(&bytes);
            }
            _ => unreachable!("writes only"),
        }
    }
}

/// The methods of `Buf`, on anything that has them. Returns what was taken as `Bytes`.
pub(super) fn get(buf: &mut dyn Buf, content: &mut Vec<u8>, op: &Op) -> Option<Bytes> {
    let len = content.len();
    assert_eq!((buf.remaining(), buf.has_remaining()), (len, len > 0));
    assert!(content.starts_with(buf.chunk()) && buf.chunk().is_empty() == content.is_empty());
    // The texts are those of `bytes` for the one, and ours for the other.
    let too_few = |count: usize| (count > len).then_some("");
    match *op {
        Op::Advance(amount) => {
            let count = amount.of(len);
            if call(too_few(count), || buf.advance(count)).is_some() {
                content.drain(..count);
            }
        }
        Op::CopyToBytes(amount) => {
            let count = amount.of(len);
            let bytes = call(too_few(count), || buf.copy_to_bytes(count))?;
            assert_eq!(bytes, content[..count], "copy_to_bytes");
            content.drain(..count);
            return Some(bytes);
        }
        Op::CopyToSlice(amount) => {
            let mut bytes = vec![0; amount.about(len)];
            if call(too_few(bytes.len()), || buf.copy_to_slice(&mut bytes)).is_some() {
                assert_eq!(bytes, content[..bytes.len()], "copy_to_slice");
                content.drain(..bytes.len());
            }
        }
        Op::GetNumber(kind) => {
            let size = [1, 2, 4, 8, 16][usize::from(kind) % 5];
            let number = call(too_few(size), || match size {
                1 => buf.get_u8().into(),
                2 => buf.get_u16().into(),
                4 => buf.get_u32().into(),
                8 => buf.get_u64().into(),
                _ => buf.get_u128(),
            });
            if let Some(number) = number {
                assert_eq!(number.to_be_bytes()[16 - size..], content[..size], "number");
                content.drain(..size);
            }
        }
        _ => unreachable!("reads only"),
    }
    None
}

/// The methods of `Read` and `BufRead`.
pub(super) fn read(view: &mut BytesView, content: &mut Vec<u8>, op: Op) {
    let len = content.len();
    match op {
        Op::Read(amount) => {
            let mut bytes = vec![0; amount.about(len)];
            let read = view.read(&mut bytes).expect("never fails");
            assert_eq!(read, bytes.len().min(len), "read");
            assert_eq!(bytes[..read], content[..read]);
            content.drain(..read);
        }
        Op::ReadVectored(first, second) => {
            let (mut first, mut second) = (vec![0; first.into()], vec![0; second.into()]);
            let mut slices = [&mut first[..], &mut [], &mut second].map(IoSliceMut::new);
            let read = view.read_vectored(&mut slices).expect("never fails");
            let bytes = [first, second].concat();
            assert_eq!(read, bytes.len().min(len), "read_vectored");
            assert_eq!(bytes[..read], content[..read]);
            content.drain(..read);
        }
        Op::ReadExact(amount) => {
            let mut bytes = vec![0; amount.about(len)];
            match view.read_exact(&mut bytes) {
                Ok(()) => {
                    assert_eq!(bytes, content[..bytes.len()], "read_exact");
                    content.drain(..bytes.len());
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    assert!(bytes.len() > len);
                }
            }
        }
        Op::ReadToEnd => {
            let mut bytes = vec![1];
            assert_eq!(view.read_to_end(&mut bytes).expect("never fails"), len);
            assert_eq!((bytes[0], &bytes[1..]), (1, &content[..]));
            content.clear();
        }
        Op::ReadToString => {
            let mut text = "!".to_owned();
            let outcome = view.read_to_string(&mut text);
            match std::str::from_utf8(content) {
                Ok(expected) => {
                    assert_eq!(outcome.expect("it is UTF-8"), len);
                    assert_eq!(text.strip_prefix('!'), Some(expected));
                    content.clear();
                }
                Err(_) => {
                    assert_eq!(
                        outcome.expect_err("not UTF-8").kind(),
                        ErrorKind::InvalidData
                    );
                    assert_eq!(text, "!");
                }
            }
        }
        Op::BufReadConsume(amount) => {
            let chunk = view.fill_buf().expect("never fails");
            assert!(content.starts_with(chunk) && chunk.is_empty() == content.is_empty());
            let count = amount.of(len);
            let panic = (count > len).then_some("attempted to advance");
            if call(panic, || BufRead::consume(view, count)).is_some() {
                content.drain(..count);
            }
        }
        Op::ReadUntil(byte) => {
            let mut bytes = Vec::new();
            let read = view.read_until(byte, &mut bytes).expect("never fails");
            let end = content
                .iter()
                .position(|&other| other == byte)
                .map_or(len, |at| at + 1);
            assert_eq!((read, &bytes[..]), (end, &content[..end]), "read_until");
            content.drain(..end);
        }
        _ => unreachable!("reads only"),
    }
}
