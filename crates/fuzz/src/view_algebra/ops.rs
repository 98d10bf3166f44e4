//! The operations.

use std::mem::take;
use std::ops::Bound;
use std::sync::Arc;

use arbitrary::Arbitrary;
use bytesbuf::{BytesBuf, BytesView};

use super::Machine;
use super::model::{Model, STATIC};
use super::read::get_number;
use crate::amount::{Amount, content};
use crate::attempt::call;
use crate::memory::Source;

#[derive(Arbitrary, Debug)]
pub(super) enum Op {
    Static(u8, u8),
    Owner {
        kind: u8,
        len: u8,
        seed: u8,
    },
    Copied(Source, u16, u8),
    Built(Source, u8, u8, u8),
    FromViews,
    Clone,
    Drop,
    Range(Edge, Edge),
    RangeChecked(Edge, Edge),
    Truncate(Amount),
    SplitTo(Amount),
    SplitOff(Amount),
    Advance(Amount),
    Append,
    Concat,
    Extend,
    GetByte(bool),
    GetNumber(u8),
    CopyToSlice {
        amount: Amount,
        checked: bool,
        uninit: bool,
    },
    ConsumeSlices,
    ThroughBuffer,
    Compare,
    Recut {
        block: u8,
        change: Option<u8>,
    },
    Detach {
        source: Source,
        checked: bool,
    },
    DetachIf {
        source: Source,
        checked: bool,
        wanted: bool,
    },
    Guard,
    DropGuards,
    Print,
}

/// One end of a range.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Edge {
    Included(Amount),
    Excluded(Amount),
    Unbounded,
}

impl Edge {
    fn of(self, len: usize) -> Bound<usize> {
        match self {
            Self::Included(amount) => Bound::Included(amount.of(len)),
            Self::Excluded(amount) => Bound::Excluded(amount.of(len)),
            Self::Unbounded => Bound::Unbounded,
        }
    }
}

/// The text of a read beyond the end.
pub(super) const READ: &str = "attempted to read";

/// Offsets of a range within `0..len`, by what `std::ops` says of bounds.
fn resolve(start: Bound<usize>, end: Bound<usize>, len: usize) -> Option<(usize, usize)> {
    let wide = |n: usize| n as u128;
    let start = match start {
        Bound::Included(n) => wide(n),
        Bound::Excluded(n) => wide(n) + 1,
        Bound::Unbounded => 0,
    };
    let end = match end {
        Bound::Included(n) => wide(n) + 1,
        Bound::Excluded(n) => wide(n),
        Bound::Unbounded => wide(len),
    };
    (start <= end && end <= wide(len)).then_some((start as usize, end as usize))
}

impl Machine {
    pub(super) fn step(&mut self, x: usize, y: usize, op: Op) {
        match op {
            Op::Static(start, len) => {
                const LETTERS: &[u8] = b"aababbabaaabbbababbaabab\0\xff 0123456789";
                let start = usize::from(start) % LETTERS.len();
                let bytes = &LETTERS[start..];
                let bytes = &bytes[..usize::from(len) % (bytes.len() + 1)];
                self.put(
                    x,
                    BytesView::from_static(bytes),
                    Model::of_owner(bytes, STATIC),
                );
            }
            Op::Owner { kind, len, seed } => {
                let bytes = content(seed, len.into());
                let owner = self.owners.foreign(bytes.len());
                let model = Model::of_owner(&bytes, owner);
                let view = match kind % 4 {
                    0 => bytes.into(),
                    1 => BytesView::from(bytes.into_boxed_slice()),
                    2 => BytesView::from_owner(Arc::<[u8]>::from(bytes)),
                    _ => of_bytes(bytes),
                };
                self.put(x, view, model);
            }
            Op::Copied(source, len, seed) => {
                let bytes = content(seed, usize::from(len) % 1500);
                if let Some((view, model)) = self.copied(&bytes, source) {
                    self.put(x, view, model);
                }
            }
            Op::Built(source, first, second, seed) => {
                let lens = [first, second].map(usize::from);
                if let Some((view, model)) = self.built(y, source, lens, seed) {
                    self.put(x, view, model);
                }
            }
            Op::FromViews => {
                let whole = if y % 2 == 0 {
                    BytesView::from_views(self.views.clone())
                } else {
                    self.views.iter().cloned().collect()
                };
                let cells = self
                    .models
                    .iter()
                    .flat_map(|model| model.cells.iter().copied());
                let cells = cells.collect();
                self.put(x, whole, Model { cells });
            }
            Op::Clone => {
                let (view, model) = (self.views[x].clone(), self.models[x].clone());
                self.put(y, view, model);
            }
            Op::Drop => self.put(x, BytesView::new(), Model::default()),
            Op::Range(start, end) => {
                let len = self.models[x].len();
                let bounds = (start.of(len), end.of(len));
                let resolved = resolve(bounds.0, bounds.1, len);
                let panic = resolved.is_none().then_some("out of view bounds");
                let view = &self.views[x];
                let range = call(panic, || view.range(bounds));
                if let (Some(range), Some((start, end))) = (range, resolved) {
                    let cells = self.models[x].cells[start..end].to_vec();
                    self.put(y, range, Model { cells });
                }
            }
            Op::RangeChecked(start, end) => {
                let len = self.models[x].len();
                let bounds = (start.of(len), end.of(len));
                let resolved = resolve(bounds.0, bounds.1, len);
                let range = self.views[x].range_checked(bounds);
                assert_eq!(
                    range.is_some(),
                    resolved.is_some(),
                    "range_checked({bounds:?}) of {len}"
                );
                if let (Some(range), Some((start, end))) = (range, resolved) {
                    let cells = self.models[x].cells[start..end].to_vec();
                    self.put(y, range, Model { cells });
                }
            }
            Op::Truncate(amount) => {
                let len = amount.of(self.models[x].len());
                self.views[x].truncate(len);
                self.models[x].cells.truncate(len);
            }
            Op::SplitTo(amount) => {
                let count = amount.of(self.models[x].len());
                let panic = (count > self.models[x].len()).then_some(READ);
                let view = &mut self.views[x];
                if let Some(front) = call(panic, || view.split_to(count)) {
                    let cells = self.models[x].cells.drain(..count).collect();
                    self.put(y, front, Model { cells });
                }
            }
            Op::SplitOff(amount) => {
                let at = amount.of(self.models[x].len());
                let panic = (at > self.models[x].len()).then_some(READ);
                let view = &mut self.views[x];
                if let Some(rest) = call(panic, || view.split_off(at)) {
                    let cells = self.models[x].cells.split_off(at);
                    self.put(y, rest, Model { cells });
                }
            }
            Op::Advance(amount) => {
                let count = amount.of(self.models[x].len());
                let panic = (count > self.models[x].len()).then_some("attempted to advance");
                let view = &mut self.views[x];
                if call(panic, || view.advance(count)).is_some() {
                    self.models[x].cells.drain(..count);
                }
            }
            Op::Append => {
                let (view, model) = (take(&mut self.views[y]), take(&mut self.models[y]));
                self.views[x].append(view);
                self.models[x].cells.extend(model.cells);
            }
            Op::Concat => {
                let view = self.views[x].concat(self.views[y].clone());
                let cells = [&self.models[x].cells[..], &self.models[y].cells].concat();
                self.put(x, view, Model { cells });
            }
            Op::Extend => {
                let views = [self.views[y].clone(), self.views[x].clone()];
                let cells = [&self.models[y].cells[..], &self.models[x].cells].concat();
                self.views[x].extend(views);
                self.models[x].cells.extend(cells);
            }
            Op::GetByte(checked) => {
                let expected = self.models[x].cells.first().map(|cell| cell.byte);
                let view = &mut self.views[x];
                let byte = if checked {
                    view.try_get_byte()
                        .map_err(|error| assert_eq!((error.requested, error.available), (1, 0)))
                        .ok()
                } else {
                    call(expected.is_none().then_some(READ), || view.get_byte())
                };
                assert_eq!(byte, expected, "get_byte");
                self.models[x].cells.drain(..usize::from(byte.is_some()));
            }
            Op::GetNumber(kind) => {
                let taken = get_number(&mut self.views[x], &self.models[x].bytes(), kind);
                self.models[x].cells.drain(..taken);
            }
            Op::CopyToSlice {
                amount,
                checked,
                uninit,
            } => {
                self.copy_to_slice(x, amount, checked, uninit);
            }
            Op::ConsumeSlices => {
                let mut bytes = Vec::new();
                self.views[x].consume_all_slices(|slice| bytes.extend_from_slice(slice));
                assert_eq!(bytes, self.models[x].bytes(), "consume_all_slices");
                self.models[x].cells.clear();
            }
            Op::ThroughBuffer => {
                let mut buf = BytesBuf::from(take(&mut self.views[x]));
                let mut model = take(&mut self.models[x]);
                // `x` and `y` may be the same, which is empty now.
                buf.put_bytes(self.views[y].clone());
                model.cells.extend_from_slice(&self.models[y].cells);
                self.put(x, buf.into(), model);
            }
            Op::Compare => self.compare(x, y),
            Op::Recut { block, change } => self.recut(x, block, change),
            Op::Detach { source, checked } => self.detach(x, source, checked),
            Op::DetachIf {
                source,
                checked,
                wanted,
            } => self.detach_if(x, source, checked, wanted),
            Op::Guard => {
                let guard = self.views[x].extend_lifetime();
                self.guards.push((guard, self.models[x].clone()));
            }
            Op::DropGuards => self.guards.clear(),
            Op::Print => self.print(x),
        }
    }

    fn put(&mut self, x: usize, view: BytesView, model: Model) {
        self.views[x] = view;
        self.models[x] = model;
    }
}

fn of_bytes(bytes: Vec<u8>) -> BytesView {
    bytes::Bytes::from(bytes).into()
}
