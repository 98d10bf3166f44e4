//! Two buffers and two views, filled from eight providers, against bytes and the room in
//! each block.
//!
//! After each operation: lengths, capacities, the unfilled slice and the content of all
//! of them. At the end: nothing is out.
#![expect(unsafe_code, reason = "writes to unfilled slices, and says so")]

mod write;

use std::io::IoSlice;

use arbitrary::Arbitrary;
use bytesbuf::{BytesBuf, BytesView, MemoryGuard};

use self::write::{put_number, reserve, vectored, write};
use crate::Program;
use crate::amount::{Amount, content};
use crate::attempt::call;
use crate::memory::{Memories, Room, Source};
use crate::model_buf::{ModelBuf, check_content};

/// A program for two buffers.
#[derive(Arbitrary, Debug)]
pub struct Buffers {
    pass_through: bool,
    #[arbitrary(with = crate::steps)]
    steps: Vec<Step>,
}

/// An operation on the first buffer and the first view, or the second ones.
#[derive(Arbitrary, Debug)]
struct Step {
    second: bool,
    op: Op,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Reserve(Source, Amount),
    TryReserve(Source, Amount),
    ReserveContiguous(u16),
    PutSlice(Amount, u8),
    TryPutSlice(Amount, u8),
    PutByte(u8),
    PutByteRepeated(u8, Amount),
    PutNumber(u8, u128),
    PutView,
    PutOther,
    Consume(Amount),
    ConsumeChecked(Amount),
    ConsumeAll,
    Peek,
    Clear,
    SplitOffRemaining(Amount),
    SplitOffRemainingChecked(Amount),
    Advance(Amount, u8),
    Vectored {
        max: Option<Amount>,
        commit: Amount,
        seed: u8,
    },
    VectoredChecked(Amount),
    Write(Source, u16, u8),
    WriteVectored(Source, u8, u8, u8),
    Guard,
    DropGuards,
    FromView,
    IntoView,
    NewBuf,
    DropView,
    TakeFront(Amount),
    Debug,
}

/// Content above this number of bytes is thrown away.
const LARGE: usize = 12_000;

#[derive(Default)]
struct Machine {
    bufs: [BytesBuf; 2],
    views: [BytesView; 2],
    guards: Vec<MemoryGuard>,
    models: [ModelBuf; 2],
    contents: [Vec<u8>; 2],
}

impl Program for Buffers {
    fn run(self) {
        let memories = Memories::new(self.pass_through);
        let mut machine = Machine::default();
        for step in self.steps {
            machine.step(&step, &memories);
            machine.check();
        }
        drop(machine);
        memories.end();
    }
}

impl Machine {
    fn check(&mut self) {
        for (buf, model) in self.bufs.iter_mut().zip(&mut self.models) {
            model.check(buf);
            if model.data.len() > LARGE {
                buf.clear();
                model.data.clear();
            }
        }
        for (view, content) in self.views.iter_mut().zip(&mut self.contents) {
            check_content(view, content);
            if content.len() > LARGE {
                view.truncate(0);
                content.clear();
            }
        }
    }

    fn step(&mut self, step: &Step, memories: &Memories) {
        let at = usize::from(step.second);
        let other = 1 - at;
        if let Op::PutOther = step.op {
            let view = self.bufs[other].consume_all();
            let data = std::mem::take(&mut self.models[other].data);
            self.bufs[at].put_bytes(view);
            self.models[at].data.extend(data);
            return;
        }
        let (buf, model) = (&mut self.bufs[at], &mut self.models[at]);
        let (view, content) = (&mut self.views[at], &mut self.contents[at]);
        match step.op {
            Op::Reserve(source, amount) => reserve(buf, model, memories, source, amount, false),
            Op::TryReserve(source, amount) => reserve(buf, model, memories, source, amount, true),
            Op::ReserveContiguous(bytes) => {
                let bytes = usize::from(bytes) % 5000;
                *buf = memories.pool().reserve_contiguous(bytes);
                let len = buf.remaining_capacity();
                assert!(len >= bytes, "{len} of {bytes} bytes");
                let room = Room { len, meta: None };
                *model = ModelBuf {
                    data: Vec::new(),
                    rooms: (len > 0).then_some(room).into_iter().collect(),
                };
            }
            Op::PutSlice(amount, seed) => {
                let bytes = self::content(seed, amount.about(model.remaining()));
                if call(model.no_room(bytes.len()), || {
                    buf.put_slice(bytes.as_slice());
                })
                .is_some()
                {
                    model.fill(&bytes);
                }
            }
            Op::TryPutSlice(amount, seed) => {
                let bytes = self::content(seed, amount.about(model.remaining()));
                match (buf.try_put_slice(&bytes), model.no_room(bytes.len())) {
                    (Ok(()), None) => model.fill(&bytes),
                    (Err(error), Some(_)) => {
                        let expected = (bytes.len(), model.remaining());
                        assert_eq!((error.requested, error.remaining), expected);
                    }
                    (outcome, _) => panic!("{outcome:?}"),
                }
            }
            Op::PutByte(byte) => {
                if call(model.no_room(1), || buf.put_byte(byte)).is_some() {
                    model.fill(&[byte]);
                }
            }
            Op::PutByteRepeated(byte, amount) => {
                let count = amount.of(model.remaining());
                if call(model.no_room(count), || buf.put_byte_repeated(byte, count)).is_some() {
                    model.fill(&vec![byte; count]);
                }
            }
            Op::PutNumber(kind, bits) => put_number(buf, model, kind, bits),
            Op::PutView => {
                buf.put_bytes(view.clone());
                model.data.extend_from_slice(content);
            }
            Op::PutOther => unreachable!("done above"),
            Op::Consume(amount) => {
                let len = amount.of(model.data.len());
                let panic = (len > model.data.len()).then_some("attempted to consume more");
                if let Some(taken) = call(panic, || buf.consume(len)) {
                    (*view, *content) = (taken, model.consume(len));
                }
            }
            Op::ConsumeChecked(amount) => {
                let len = amount.of(model.data.len());
                let taken = buf.consume_checked(len);
                assert_eq!(taken.is_some(), len <= model.data.len(), "consume_checked");
                if let Some(taken) = taken {
                    (*view, *content) = (taken, model.consume(len));
                }
            }
            Op::ConsumeAll => {
                (*view, *content) = (buf.consume_all(), std::mem::take(&mut model.data));
            }
            Op::Peek => (*view, *content) = (buf.peek(), model.data.clone()),
            Op::Clear => {
                buf.clear();
                model.data.clear();
            }
            Op::SplitOffRemaining(amount) => {
                let count = amount.of(model.remaining());
                let panic = (count > model.remaining()).then_some("attempted to split off");
                if let Some(split) = call(panic, || buf.split_off_remaining(count)) {
                    let rest = model.split_off(count);
                    (self.bufs[other], self.models[other]) = (split, rest);
                }
            }
            Op::SplitOffRemainingChecked(amount) => {
                let count = amount.of(model.remaining());
                let split = buf.split_off_remaining_checked(count);
                assert_eq!(
                    split.is_some(),
                    count <= model.remaining(),
                    "split_off_remaining_checked"
                );
                if let Some(split) = split {
                    let rest = model.split_off(count);
                    (self.bufs[other], self.models[other]) = (split, rest);
                }
            }
            Op::Advance(amount, seed) => {
                let count = amount.of(model.first());
                let bytes = self::content(seed, count.min(model.first()));
                for (to, from) in buf.first_unfilled_slice().iter_mut().zip(&bytes) {
                    to.write(*from);
                }
                let panic = (count > bytes.len()).then_some("the first unfilled slice has");
                // SAFETY: as many bytes as there are have been initialised, and it
                // panics if that is not enough.
                if call(panic, || unsafe { buf.advance(count) }).is_some() {
                    model.fill(&bytes);
                }
            }
            Op::Vectored { max, commit, seed } => vectored(buf, model, max, commit, seed),
            Op::VectoredChecked(amount) => {
                let max = amount.of(model.remaining());
                let write = buf.begin_vectored_write_checked(Some(max));
                assert_eq!(
                    write.is_some(),
                    max <= model.remaining(),
                    "begin_vectored_write_checked"
                );
            }
            Op::Write(source, len, seed) => {
                let bytes = self::content(seed, usize::from(len) % 500);
                write(buf, model, memories, source, &[&bytes], |writer, slices| {
                    writer.write(slices[0])
                });
            }
            Op::WriteVectored(source, first, second, seed) => {
                let (first, second) = (
                    self::content(seed, first.into()),
                    self::content(seed, second.into()),
                );
                write(
                    buf,
                    model,
                    memories,
                    source,
                    &[&first, &[], &second],
                    |writer, slices| {
                        let slices: Vec<_> =
                            slices.iter().map(|slice| IoSlice::new(slice)).collect();
                        writer.write_vectored(&slices)
                    },
                );
            }
            Op::Guard => {
                self.guards.push(buf.extend_lifetime());
                self.guards.push(view.extend_lifetime());
            }
            Op::DropGuards => self.guards.clear(),
            Op::FromView => {
                *buf = BytesBuf::from(std::mem::take(view));
                *model = ModelBuf {
                    data: std::mem::take(content),
                    ..ModelBuf::default()
                };
            }
            Op::IntoView => {
                *view = BytesView::from(std::mem::take(buf));
                *content = std::mem::take(model).data;
            }
            Op::NewBuf => (*buf, *model) = (BytesBuf::new(), ModelBuf::default()),
            Op::DropView => (*view, *content) = (BytesView::new(), Vec::new()),
            Op::TakeFront(amount) => {
                let count = amount.of(content.len()).min(content.len());
                let front = view.split_to(count);
                check_content(&front, &content[..count]);
                content.drain(..count);
            }
            Op::Debug => {
                let text = format!("{buf:?}");
                assert!(text.contains("BytesBuf"), "{text}");
            }
        }
    }
}
