//! Views, `bytes::Bytes` and a buffer, through the traits of `bytes` and of the standard
//! library, against bytes.
//!
//! Slots hold a view or a `Bytes`; conversions go back and forth, so that each is made of
//! parts of the other.

mod traits;

use std::io::IoSlice;
use std::mem::take;

use arbitrary::Arbitrary;
use bytes::{Buf, Bytes};
use bytesbuf::{BytesBuf, BytesView};

use self::traits::{get, read};
use crate::Program;
use crate::amount::{Amount, content};
use crate::memory::{Memories, Source};
use crate::model_buf::{ModelBuf, check_content};

/// A program for views, `Bytes` and a buffer.
#[derive(Arbitrary, Debug)]
pub struct Interop {
    pass_through: bool,
    #[arbitrary(with = crate::steps)]
    steps: Vec<Step>,
}

/// An operation on slot `x`, and perhaps another, `y`.
#[derive(Arbitrary, Debug)]
struct Step {
    x: u8,
    y: u8,
    op: Op,
}

#[derive(Arbitrary, Debug)]
enum Op {
    NewBytes(u8, u8),
    Copied(Source, u8, u8),
    IntoBytes,
    ToBytes,
    IntoView,
    AppendView,
    CutBytes(u8, Amount),
    Drop,
    Equal,
    Advance(Amount),
    CopyToBytes(Amount),
    CopyToSlice(Amount),
    GetNumber(u8),
    TakeAndChain(Amount),
    ChunksVectored(u8),
    Read(Amount),
    ReadVectored(u8, u8),
    ReadExact(Amount),
    ReadToEnd,
    ReadToString,
    BufReadConsume(Amount),
    ReadUntil(u8),
    Reserve(Source, Amount),
    MutSlice(Amount, u8),
    MutNumber(u8, u64),
    MutBytes(u8, Amount),
    MutPut,
    MutChunk(Amount, u8),
    MutLimit(Amount, u8),
    Consume(Amount),
}

const SLOTS: usize = 3;
/// Content above this number of bytes is thrown away.
const LARGE: usize = 6_000;

enum Value {
    View(BytesView),
    Bytes(Bytes),
}

impl Default for Value {
    fn default() -> Self {
        Self::View(BytesView::new())
    }
}

impl Value {
    fn into_view(self) -> BytesView {
        match self {
            Self::View(view) => view,
            Self::Bytes(bytes) => bytes.into(),
        }
    }

    fn to_view(&self) -> BytesView {
        match self {
            Self::View(view) => view.clone(),
            Self::Bytes(bytes) => bytes.clone().into(),
        }
    }

    /// As either: their traits are the same.
    fn buf(&mut self) -> &mut dyn Buf {
        match self {
            Self::View(view) => view,
            Self::Bytes(bytes) => bytes,
        }
    }
}

#[derive(Default)]
struct Machine {
    values: [Value; SLOTS],
    contents: [Vec<u8>; SLOTS],
    buf: BytesBuf,
    model: ModelBuf,
}

impl Program for Interop {
    fn run(self) {
        let memories = Memories::new(self.pass_through);
        let mut machine = Machine::default();
        for step in self.steps {
            let (x, y) = (usize::from(step.x) % SLOTS, usize::from(step.y) % SLOTS);
            machine.step(x, y, step.op, &memories);
            machine.check();
        }
        drop(machine);
        memories.end();
    }
}

impl Machine {
    fn check(&mut self) {
        self.model.check(&mut self.buf);
        for (value, content) in self.values.iter_mut().zip(&mut self.contents) {
            match value {
                Value::View(view) => check_content(view, content),
                Value::Bytes(bytes) => assert_eq!(bytes, content, "Bytes"),
            }
            if content.len() > LARGE {
                (*value, *content) = Default::default();
            }
        }
        if self.model.data.len() > LARGE {
            self.buf.clear();
            self.model.data.clear();
        }
    }

    fn step(&mut self, x: usize, y: usize, op: Op, memories: &Memories) {
        let content = &mut self.contents[x];
        match op {
            Op::NewBytes(len, seed) => {
                *content = self::content(seed, len.into());
                self.values[x] = Value::Bytes(content.clone().into());
            }
            Op::Copied(source, len, seed) => {
                let bytes = self::content(seed, len.into());
                if memories.forecast(source, bytes.len()).is_ok() {
                    let memory = memories.get(source);
                    let view = BytesView::copied_from_slice(&bytes, &memory);
                    (self.values[x], *content) = (Value::View(view), bytes);
                }
            }
            Op::IntoBytes => {
                let bytes = take(&mut self.values[x]).into_view().into();
                self.values[x] = Value::Bytes(bytes);
            }
            Op::ToBytes => {
                let bytes = self.values[x].to_view().to_bytes();
                let content = content.clone();
                (self.values[y], self.contents[y]) = (Value::Bytes(bytes), content);
            }
            Op::IntoView => self.values[x] = Value::View(take(&mut self.values[x]).into_view()),
            Op::AppendView => {
                let mut view = self.values[x].to_view();
                view.append(self.values[y].to_view());
                self.values[x] = Value::View(view);
                let other = self.contents[y].clone();
                self.contents[x].extend(other);
            }
            Op::CutBytes(how, amount) => self.cut_bytes(x, y, how, amount),
            Op::Drop => (self.values[x], *content) = Default::default(),
            Op::Equal => {
                let (left, right) = (self.values[x].to_view(), self.values[y].to_view());
                let bytes = Bytes::from(self.contents[y].clone());
                let is = self.contents[x] == self.contents[y];
                assert_eq!((left == bytes, bytes == left, left == right), (is, is, is));
            }
            Op::Reserve(source, amount) => self.reserve(memories, source, amount),
            Op::Consume(amount) => {
                let len = amount.of(self.model.data.len()).min(self.model.data.len());
                self.values[x] = Value::View(self.buf.consume(len));
                self.contents[x] = self.model.consume(len);
            }
            Op::MutSlice(..)
            | Op::MutNumber(..)
            | Op::MutBytes(..)
            | Op::MutPut
            | Op::MutChunk(..)
            | Op::MutLimit(..) => self.write(x, op),
            Op::Read(_)
            | Op::ReadVectored(..)
            | Op::ReadExact(_)
            | Op::ReadToEnd
            | Op::ReadToString
            | Op::BufReadConsume(_)
            | Op::ReadUntil(_) => {
                let mut view = self.values[x].to_view();
                read(&mut view, content, op);
                self.values[x] = Value::View(view);
            }
            Op::TakeAndChain(amount) => {
                let limit = amount.of(content.len());
                let (mut first, mut second) = (self.values[x].to_view(), self.values[y].to_view());
                let taken = limit.min(content.len());
                let expected = [&self.contents[x][..taken], &self.contents[y]].concat();
                let mut chain = Buf::take(&mut first, limit).chain(&mut second);
                assert_eq!(chain.remaining(), expected.len());
                assert_eq!(chain.copy_to_bytes(expected.len()), expected);
            }
            Op::ChunksVectored(slots) => {
                let mut slices = vec![IoSlice::new(&[]); usize::from(slots) % 6];
                let view = self.values[x].to_view();
                let filled = view.chunks_vectored(&mut slices);
                let joined: Vec<u8> = slices[..filled]
                    .iter()
                    .flat_map(|slice| slice.to_vec())
                    .collect();
                assert_eq!(filled, slices.len().min(view.slices().len()));
                assert!(content.starts_with(&joined));
            }
            Op::Advance(_) | Op::CopyToBytes(_) | Op::CopyToSlice(_) | Op::GetNumber(_) => {
                if let Some(bytes) = get(self.values[x].buf(), content, &op) {
                    let taken = bytes.to_vec();
                    (self.values[y], self.contents[y]) = (Value::Bytes(bytes), taken);
                }
            }
        }
    }

    /// Parts of `Bytes`, by their own means.
    fn cut_bytes(&mut self, x: usize, y: usize, how: u8, amount: Amount) {
        let at = amount
            .of(self.contents[x].len())
            .min(self.contents[x].len());
        let Value::Bytes(bytes) = &mut self.values[x] else {
            return;
        };
        let content = &mut self.contents[x];
        let (part, rest) = match how % 4 {
            0 => (bytes.slice(at..), content[at..].to_vec()),
            1 => (bytes.split_off(at), content.split_off(at)),
            2 => (bytes.split_to(at), content.drain(..at).collect()),
            _ => {
                bytes.truncate(at);
                content.truncate(at);
                (bytes.clone(), content.clone())
            }
        };
        (self.values[y], self.contents[y]) = (Value::Bytes(part), rest);
    }

    fn reserve(&mut self, memories: &Memories, source: Source, amount: Amount) {
        let remaining = self.model.remaining();
        let wanted = amount.of(remaining).min(remaining + 600);
        if remaining > LARGE || wanted <= remaining {
            return;
        }
        if let Ok(rooms) = memories.forecast(source, wanted - remaining) {
            self.buf.reserve(wanted, &memories.get(source));
            self.model.rooms.extend(rooms);
        }
    }
}
