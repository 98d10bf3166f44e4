//! The same operations on each crate: one body, expanded twice.
#![expect(unsafe_code, reason = "calls the unsafe methods under test")]

use crate::step::{Outcome, Step};

/// The numbers a buffer tells about itself.
#[derive(Debug, PartialEq, Eq)]
pub struct BufState {
    pub len: usize,
    pub capacity: usize,
    pub remaining: usize,
    pub is_empty: bool,
    /// Length of the first unfilled slice.
    pub first: usize,
}

/// Runs of bytes with the same metadata: how many bytes, and the size that the
/// metadata tells of their block.
pub type Tags = Vec<(usize, Option<usize>)>;

/// One crate with all buffers and views in play.
pub trait Subject {
    fn name(&self) -> &'static str;
    /// The outcome; with the message if it is a panic.
    fn apply(&mut self, step: &Step) -> (Outcome, Option<String>);
    fn buf_state(&mut self, x: usize) -> BufState;
    /// Content and tags of a buffer, through `peek`.
    fn buf_content(&self, x: usize) -> (Vec<u8>, Tags);
    /// Content, tags and number of slices of a view.
    fn view_content(&self, x: usize) -> (Vec<u8>, Tags, usize);
    /// Blocks of the counting provider still referred to.
    fn live(&self) -> usize;
    /// Drops all buffers, views and guards; blocks and references still out.
    fn end(self: Box<Self>) -> (usize, usize);
}

macro_rules! subject {
    ($module:ident, $krate:ident) => {
        pub mod $module {
            use std::io::{BufRead, ErrorKind, IoSlice, Read, Write};
            use std::mem::{MaybeUninit, take};
            use std::num::NonZero;

            use bytes::{Buf, BufMut, Bytes};
            use bytesbuf_oracle::attempt;
            use bytesbuf_oracle::planks::$module::{Carpenter, PlankSize};
            use num_traits::{FromBytes, ToBytes};
            use $krate::mem::testing::{FixedBlockMemory, TransparentMemory};
            use $krate::mem::{BlockMeta, GlobalPool, Memory, OpaqueMemory};
            use $krate::{BytesBuf, BytesBufVectoredWrite, BytesView, MemoryGuard};

            use super::{BufState, Subject, Tags};
            use crate::model::plank_sizes;
            use crate::step::{BUFS, Kind, Order, Outcome, Provider, Step, VIEWS};

            #[derive(Debug)]
            pub struct Machine {
                bufs: [BytesBuf; BUFS],
                views: [BytesView; VIEWS],
                guards: Vec<MemoryGuard>,
                pool: GlobalPool,
                carpenter: Carpenter,
            }

            impl Machine {
                #[expect(clippy::new_ret_no_self, reason = "only used as a trait object")]
                pub fn new() -> Box<dyn Subject> {
                    Box::new(Self {
                        bufs: Default::default(),
                        views: Default::default(),
                        guards: Vec::new(),
                        pool: GlobalPool::new(),
                        carpenter: Carpenter::default(),
                    })
                }

                fn memory(&self, provider: Provider) -> OpaqueMemory {
                    match provider {
                        Provider::Fixed(size) => {
                            OpaqueMemory::new(FixedBlockMemory::new(NonZero::new(size).unwrap()))
                        }
                        Provider::Transparent => OpaqueMemory::new(TransparentMemory::new()),
                        Provider::Pool => OpaqueMemory::new(self.pool.clone()),
                        Provider::Planks => OpaqueMemory::new(self.carpenter.clone()),
                    }
                }

                fn perform(&mut self, step: &Step) -> Outcome {
                    let &Step { x, y, n, salt, .. } = step;
                    match step.kind {
                        Kind::Reserve => {
                            let memory = self.memory(step.provider());
                            // Through the three ways to name a provider.
                            match salt >> 32 & 3 {
                                0 => self.bufs[x].reserve(n, &memory as &dyn Memory),
                                1 => self.bufs[x].reserve(n, &&memory),
                                _ => self.bufs[x].reserve(n, &memory),
                            }
                        }
                        Kind::PutSlice => match salt >> 32 & 1 {
                            0 => self.bufs[x].put_slice(step.content()),
                            _ => self.bufs[x].put_slice(step.content().as_slice()),
                        },
                        Kind::PutByte => self.bufs[x].put_byte(salt as u8),
                        Kind::PutByteRepeated => self.bufs[x].put_byte_repeated(salt as u8, n),
                        Kind::PutNum => put_any_number(&mut self.bufs[x], step),
                        Kind::PutBytesClone => self.bufs[x].put_bytes(self.views[y].clone()),
                        Kind::PutBytesMove => self.bufs[x].put_bytes(take(&mut self.views[y])),
                        Kind::BufMutPut => BufMut::put_slice(&mut self.bufs[x], &step.content()),
                        Kind::BufMutAdvance => {
                            let buf = &mut self.bufs[x];
                            assert_eq!(buf.remaining_mut(), buf.remaining_capacity());
                            if n > 0 {
                                buf.chunk_mut()[..n].copy_from_slice(&step.content());
                                // SAFETY: just written.
                                unsafe { buf.advance_mut(n) };
                            }
                        }
                        Kind::Peek => self.views[y] = self.bufs[x].peek(),
                        Kind::Consume => {
                            let view = self.bufs[x].consume(n);
                            self.views[y] = view;
                        }
                        Kind::ConsumeChecked => match self.bufs[x].consume_checked(n) {
                            Some(view) => self.views[y] = view,
                            None => return Outcome::Refused,
                        },
                        Kind::ConsumeAll => self.views[y] = self.bufs[x].consume_all(),
                        Kind::SplitOff => {
                            let rest = self.bufs[x].split_off_remaining(n);
                            self.bufs[(x + 1) % BUFS] = rest;
                        }
                        Kind::SplitOffChecked => {
                            match self.bufs[x].split_off_remaining_checked(n) {
                                Some(rest) => self.bufs[(x + 1) % BUFS] = rest,
                                None => return Outcome::Refused,
                            }
                        }
                        Kind::FillFirst => {
                            let buf = &mut self.bufs[x];
                            for (to, from) in
                                buf.first_unfilled_slice().iter_mut().zip(step.content())
                            {
                                to.write(from);
                            }
                            // SAFETY: `n` is at most the length of the slice, and the
                            // content has `n` bytes.
                            unsafe { buf.advance(n) };
                        }
                        Kind::VectoredCommit | Kind::VectoredAbort => {
                            let write = self.bufs[x].begin_vectored_write(step.max_len());
                            return fill_vectored(write, step);
                        }
                        Kind::VectoredChecked => {
                            match self.bufs[x].begin_vectored_write_checked(step.max_len()) {
                                Some(write) => return fill_vectored(write, step),
                                None => return Outcome::Refused,
                            }
                        }
                        Kind::GuardBuf => self.guards.push(self.bufs[x].extend_lifetime()),
                        Kind::GuardView => self.guards.push(self.views[x].extend_lifetime()),
                        Kind::DropGuards => self.guards.clear(),
                        Kind::NewBuf => self.bufs[x] = BytesBuf::new(),
                        Kind::BufFromView => {
                            self.bufs[x] = BytesBuf::from(take(&mut self.views[y]))
                        }
                        Kind::BufFromBlocks => {
                            let blocks = plank_sizes(salt)
                                .into_iter()
                                .map(|size| self.carpenter.plank(size));
                            self.bufs[x] = BytesBuf::from_blocks(blocks);
                        }
                        Kind::Writer => {
                            let memory = self.memory(step.provider());
                            let mut writer = take(&mut self.bufs[x]).into_writer(&memory);
                            let written = writer.write(&step.content()).unwrap();
                            writer.flush().unwrap();
                            self.bufs[x] = writer.into_inner();
                            return Outcome::Count(written);
                        }

                        Kind::Advance => self.views[x].advance(n),
                        Kind::GetByte => return Outcome::Number(self.views[x].get_byte().into()),
                        Kind::GetNum => return get_any_number(&mut self.views[x], step),
                        Kind::CopyToSlice => {
                            let mut bytes = vec![0; n];
                            self.views[x].copy_to_slice(&mut bytes);
                            return Outcome::Bytes(bytes);
                        }
                        Kind::CopyToUninit => {
                            let mut bytes = vec![MaybeUninit::uninit(); n];
                            self.views[x].copy_to_uninit_slice(&mut bytes);
                            // SAFETY: filled entirely, by contract.
                            let bytes = bytes.iter().map(|byte| unsafe { byte.assume_init() });
                            return Outcome::Bytes(bytes.collect());
                        }
                        Kind::Range => {
                            let view = self.views[x].range(step.range());
                            self.views[y] = view;
                        }
                        Kind::RangeChecked => match self.views[x].range_checked(step.range()) {
                            Some(view) => self.views[y] = view,
                            None => return Outcome::Refused,
                        },
                        Kind::Append => {
                            let other = take(&mut self.views[y]);
                            self.views[x].append(other);
                        }
                        Kind::Concat => self.views[x] = self.views[x].concat(self.views[y].clone()),
                        Kind::Clone => self.views[y] = self.views[x].clone(),
                        Kind::FromViews => {
                            self.views[x] = BytesView::from_views(self.views.clone())
                        }
                        Kind::ConsumeAllSlices => {
                            let mut bytes = Vec::new();
                            self.views[x]
                                .consume_all_slices(|slice| bytes.extend_from_slice(slice));
                            return Outcome::Bytes(bytes);
                        }
                        Kind::Read => {
                            let mut bytes = vec![0; n];
                            let read = self.views[x].read(&mut bytes).unwrap();
                            bytes.truncate(read);
                            return Outcome::Bytes(bytes);
                        }
                        Kind::ReadToEnd => {
                            let mut bytes = vec![];
                            let read = self.views[x].read_to_end(&mut bytes).unwrap();
                            assert_eq!(read, bytes.len());
                            return Outcome::Bytes(bytes);
                        }
                        Kind::ReadExact => {
                            let mut bytes = vec![0; n];
                            // What a failed `read_exact` leaves behind is unspecified.
                            if n > self.views[x].len() {
                                let error =
                                    self.views[x].clone().read_exact(&mut bytes).unwrap_err();
                                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                                return Outcome::Refused;
                            }
                            self.views[x].read_exact(&mut bytes).unwrap();
                            return Outcome::Bytes(bytes);
                        }
                        Kind::BufReadConsume => {
                            let view = &mut self.views[x];
                            assert_eq!(view.first_slice(), view.clone().fill_buf().unwrap());
                            view.consume(n);
                        }
                        Kind::ReadLine => {
                            let mut bytes = vec![];
                            self.views[x].read_until(salt as u8, &mut bytes).unwrap();
                            return Outcome::Bytes(bytes);
                        }
                        Kind::Equal => {
                            let (left, right) = (&self.views[x], &self.views[y]);
                            let is = left == right;
                            let bytes = right.to_bytes();
                            let slice: &[u8] = &bytes;
                            assert_eq!(left == &slice, is);
                            assert_eq!(&slice == left, is);
                            if let [a, b, c] = *slice {
                                assert_eq!(*left == &[a, b, c], is);
                                assert_eq!(&[a, b, c] == *left, is);
                            }
                            return Outcome::Is(is);
                        }
                        Kind::FromVec => self.views[y] = BytesView::from(step.content()),
                        Kind::CopiedFromSlice => {
                            let memory = self.memory(step.provider());
                            self.views[y] = BytesView::copied_from_slice(&step.content(), &memory);
                        }
                        Kind::FromBytes => self.views[y] = Bytes::from(step.content()).into(),
                        Kind::IntoBytes => {
                            let bytes = Bytes::from(take(&mut self.views[x]));
                            self.views[x] = bytes.clone().into();
                            return Outcome::Bytes(bytes.to_vec());
                        }
                        Kind::ToBytes => return Outcome::Bytes(self.views[x].to_bytes().to_vec()),
                        Kind::BufAdvance => Buf::advance(&mut self.views[x], n),
                        Kind::BufCopyToBytes => {
                            return Outcome::Bytes(self.views[x].copy_to_bytes(n).to_vec());
                        }
                        Kind::BufChunks => {
                            let view = &self.views[x];
                            let content = view.to_bytes();
                            assert!(content.starts_with(view.chunk()));
                            assert_eq!(view.has_remaining(), !view.chunk().is_empty());
                            let mut chunks = [IoSlice::new(&[]); 4];
                            let filled = view.chunks_vectored(&mut chunks);
                            let joined: Vec<u8> = chunks[..filled]
                                .iter()
                                .flat_map(|chunk| chunk.to_vec())
                                .collect();
                            assert!(content.starts_with(&joined));
                            assert_eq!(joined.len() == content.len(), view.slices().count() <= 4);
                            return Outcome::Count(view.remaining());
                        }
                        Kind::DropView => self.views[x] = BytesView::new(),
                    }
                    Outcome::Done
                }
            }

            impl Subject for Machine {
                fn name(&self) -> &'static str {
                    stringify!($module)
                }

                fn apply(&mut self, step: &Step) -> (Outcome, Option<String>) {
                    match attempt(|| self.perform(step)) {
                        Ok(outcome) => (outcome, None),
                        Err(message) => (Outcome::Panicked, Some(message)),
                    }
                }

                fn buf_state(&mut self, x: usize) -> BufState {
                    let buf = &mut self.bufs[x];
                    let first = buf.first_unfilled_slice().len();
                    assert_eq!(first == 0, buf.remaining_capacity() == 0);
                    BufState {
                        len: buf.len(),
                        capacity: buf.capacity(),
                        remaining: buf.remaining_capacity(),
                        is_empty: buf.is_empty(),
                        first,
                    }
                }

                fn buf_content(&self, x: usize) -> (Vec<u8>, Tags) {
                    let (content, tags, _) = look(&self.bufs[x].peek());
                    (content, tags)
                }

                fn view_content(&self, x: usize) -> (Vec<u8>, Tags, usize) {
                    look(&self.views[x])
                }

                fn live(&self) -> usize {
                    self.carpenter.live()
                }

                fn end(self: Box<Self>) -> (usize, usize) {
                    let carpenter = self.carpenter.clone();
                    drop(self);
                    (carpenter.live(), carpenter.references())
                }
            }

            fn look(view: &BytesView) -> (Vec<u8>, Tags, usize) {
                let (mut content, mut tags, mut slices) = (Vec::new(), Tags::new(), 0);
                let size_of = |meta: Option<&dyn BlockMeta>| {
                    meta.map(|meta| {
                        meta.downcast_ref::<PlankSize>()
                            .expect("the only metadata")
                            .0
                    })
                };
                for (slice, meta) in view.slices() {
                    assert!(!slice.is_empty(), "an empty slice");
                    slices += 1;
                    content.extend_from_slice(slice);
                    let tag = size_of(meta);
                    match tags.last_mut() {
                        Some((len, last)) if *last == tag => *len += slice.len(),
                        _ => tags.push((slice.len(), tag)),
                    }
                }
                assert_eq!(view.len(), content.len());
                assert_eq!(view.is_empty(), content.is_empty());
                assert!(content.starts_with(view.first_slice()));
                assert_eq!(view.first_slice().is_empty(), content.is_empty());
                if let Some(&(_, tag)) = tags.first() {
                    assert_eq!(size_of(view.first_slice_meta()), tag);
                }
                (content, tags, slices)
            }

            fn fill_vectored(mut write: BytesBufVectoredWrite<'_>, step: &Step) -> Outcome {
                let content = step.content();
                let mut lens = Vec::new();
                {
                    // All slices at once: they borrow the operation.
                    let mut slices: Vec<_> = write.slices_mut().map(|(slice, _)| slice).collect();
                    let mut left = content.as_slice();
                    for slice in &mut slices {
                        for (to, from) in slice.iter_mut().zip(left) {
                            to.write(*from);
                        }
                        left = &left[left.len().min(slice.len())..];
                        if !slice.is_empty() {
                            lens.push(slice.len());
                        }
                    }
                }
                // The operation can be looked at again before it ends.
                assert_eq!(
                    write
                        .slices_mut()
                        .filter(|(slice, _)| !slice.is_empty())
                        .count(),
                    lens.len()
                );
                if step.kind != Kind::VectoredAbort {
                    // SAFETY: all of the content has been written, front to back.
                    unsafe { write.commit(content.len()) };
                }
                Outcome::Lens(lens)
            }

            fn put_any_number(buf: &mut BytesBuf, step: &Step) {
                fn put<T: ToBytes>(buf: &mut BytesBuf, order: Order, value: T) {
                    match order {
                        Order::Little => buf.put_num_le(value),
                        Order::Big => buf.put_num_be(value),
                        Order::Native => buf.put_num_ne(value),
                    }
                }
                let (kind, order) = step.number();
                let bits = step.bits();
                match kind {
                    0 => put(buf, order, bits as u8),
                    1 => put(buf, order, bits as u16),
                    2 => put(buf, order, bits as u32),
                    3 => put(buf, order, bits as u64),
                    4 => put(buf, order, bits),
                    5 => put(buf, order, bits as i32),
                    _ => put(buf, order, f64::from_bits(bits as u64)),
                }
            }

            fn get_any_number(view: &mut BytesView, step: &Step) -> Outcome {
                fn get<T>(view: &mut BytesView, order: Order) -> T
                where
                    T: FromBytes,
                    T::Bytes: Sized,
                {
                    match order {
                        Order::Little => view.get_num_le(),
                        Order::Big => view.get_num_be(),
                        Order::Native => view.get_num_ne(),
                    }
                }
                let (kind, order) = step.number();
                Outcome::Number(match kind {
                    0 => get::<u8>(view, order).into(),
                    1 => get::<u16>(view, order).into(),
                    2 => get::<u32>(view, order).into(),
                    3 => get::<u64>(view, order).into(),
                    4 => get::<u128>(view, order),
                    5 => (get::<i32>(view, order) as u32).into(),
                    _ => get::<f64>(view, order).to_bits().into(),
                })
            }
        }
    };
}

subject!(ours, bytesbuf);
subject!(reference, published);
