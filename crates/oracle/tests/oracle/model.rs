//! What should happen, in terms of `Vec<u8>`.

use std::collections::VecDeque;
use std::mem::take;
use std::ops::Bound;

use bytesbuf_oracle::planks;

use crate::step::{Amount, BUFS, Draw, Kind, Order, Outcome, Provider, Step, VIEWS};

/// Contents above this size in bytes are thrown away rather than doubled again.
const LARGE: usize = 100_000;

/// A buffer: its data, and the unfilled bytes of each block, the current one first.
#[derive(Debug, Default)]
pub struct ModelBuf {
    pub data: Vec<u8>,
    pub blocks: VecDeque<usize>,
    /// Bytes at the end of `data` that lie in the current block and have not been
    /// frozen. Only needed to know where the reference breaks.
    unfrozen: usize,
}

impl ModelBuf {
    pub fn remaining(&self) -> usize {
        self.blocks.iter().sum()
    }

    pub fn first(&self) -> usize {
        self.blocks.front().copied().unwrap_or(0)
    }

    fn fill(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        let mut left = bytes.len();
        while left > 0 {
            let front = self
                .blocks
                .front_mut()
                .expect("the caller checked the capacity");
            let filled = left.min(*front);
            *front -= filled;
            left -= filled;
            self.unfrozen += filled;
            if *front == 0 {
                self.blocks.pop_front();
                self.unfrozen = 0;
            }
        }
    }

    fn consume(&mut self, n: usize) -> Vec<u8> {
        let rest = self.data.split_off(n);
        self.unfrozen = self.unfrozen.min(rest.len());
        std::mem::replace(&mut self.data, rest)
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.data.extend_from_slice(bytes);
            self.unfrozen = 0;
        }
    }

    fn reserve(&mut self, n: usize, provider: Provider) {
        let remaining = self.remaining();
        if n > remaining {
            self.blocks.extend(lend(n - remaining, provider));
        }
    }

    /// From the end: whole blocks nobody has written to, then the tail of one.
    fn split_off(&mut self, n: usize) -> Self {
        let mut split = VecDeque::new();
        let mut left = n;
        while left > 0 {
            let last = self
                .blocks
                .back_mut()
                .expect("the caller checked the capacity");
            let taken = left.min(*last);
            *last -= taken;
            left -= taken;
            split.push_front(taken);
            if *last == 0 {
                self.blocks.pop_back();
            }
        }
        if self.blocks.is_empty() {
            self.unfrozen = 0;
        }
        Self {
            blocks: split,
            ..Self::default()
        }
    }

    /// Whether the reference would lose data or loop after this split (flaws 1, 2).
    fn breaks_the_reference(&self, n: usize) -> bool {
        self.unfrozen > 0 && n == self.remaining()
    }

    /// Lengths of the unfilled slices up to `max_len` bytes.
    fn unfilled(&self, max_len: usize) -> Vec<usize> {
        let mut left = max_len;
        let mut lens = Vec::new();
        for &block in &self.blocks {
            let len = block.min(left);
            left -= len;
            if len > 0 {
                lens.push(len);
            }
        }
        lens
    }
}

/// The blocks that a provider lends for `n` bytes, in order of use.
fn lend(n: usize, provider: Provider) -> Vec<usize> {
    match provider {
        Provider::Fixed(size) => vec![size as usize; n.div_ceil(size as usize)],
        Provider::Transparent => vec![n; usize::from(n > 0)],
        Provider::Pool => match n {
            0 => vec![],
            1..=1024 => vec![1024],
            1025..=4096 => vec![4096],
            4097..=16384 => vec![16384],
            _ => vec![65536; n.div_ceil(65536)],
        },
        Provider::Planks => planks::sizes_for(n).into_iter().rev().collect(),
    }
}

/// The state of everything in play.
#[derive(Debug, Default)]
pub struct Model {
    pub bufs: [ModelBuf; BUFS],
    pub views: [Vec<u8>; VIEWS],
}

/// `Err` is a documented panic.
type Expected = Result<Outcome, ()>;

impl Model {
    /// The concrete step for a draw in the current state.
    pub fn resolve(&self, draw: &Draw, spare_the_reference: bool) -> Step {
        let buf = &self.bufs[draw.x % BUFS];
        let view = &self.views[draw.x % VIEWS];
        let other = &self.views[draw.y % VIEWS];
        let (len, remaining) = (buf.data.len(), buf.remaining());
        let rarely = draw.salt >> 60 == 0;
        let to_write = if rarely {
            remaining
        } else {
            remaining.min(1024)
        };
        // What has to be made, not only named, stays small.
        let made = |amount: Amount, limit: usize| match amount {
            Amount::Max => remaining + 3,
            amount => amount.of(limit),
        };

        let mut kind = draw.kind;
        match kind {
            Kind::Append | Kind::Concat if view.len() + other.len() > LARGE => {
                kind = Kind::DropView
            }
            Kind::FromViews if self.views.iter().map(Vec::len).sum::<usize>() > LARGE => {
                kind = Kind::DropView;
            }
            Kind::PutBytesClone | Kind::Writer if len + other.len() > LARGE => {
                kind = Kind::ConsumeAll;
            }
            _ => {}
        }

        let is_buf = matches!(
            kind,
            Kind::Reserve
                | Kind::PutSlice
                | Kind::PutByte
                | Kind::PutByteRepeated
                | Kind::PutNum
                | Kind::PutBytesClone
                | Kind::PutBytesMove
                | Kind::BufMutPut
                | Kind::BufMutAdvance
                | Kind::Peek
                | Kind::Consume
                | Kind::ConsumeChecked
                | Kind::ConsumeAll
                | Kind::SplitOff
                | Kind::SplitOffChecked
                | Kind::FillFirst
                | Kind::VectoredCommit
                | Kind::VectoredAbort
                | Kind::VectoredChecked
                | Kind::GuardBuf
                | Kind::DropGuards
                | Kind::NewBuf
                | Kind::BufFromView
                | Kind::BufFromBlocks
                | Kind::Writer
        );
        let mut step = Step {
            kind,
            x: draw.x % if is_buf { BUFS } else { VIEWS },
            y: draw.y % VIEWS,
            n: 0,
            m: 0,
            salt: draw.salt,
        };

        match kind {
            Kind::Reserve => {
                let most = match step.provider() {
                    Provider::Fixed(1) => 40,
                    Provider::Pool | Provider::Transparent if rarely => 150_000,
                    Provider::Pool => 18_000,
                    _ => 256,
                };
                step.n = draw.a.of(most).min(most);
            }
            Kind::PutSlice | Kind::BufMutPut => step.n = made(draw.a, to_write),
            Kind::PutByteRepeated => step.n = draw.a.of(to_write),
            Kind::Consume | Kind::ConsumeChecked => step.n = draw.a.of(len),
            Kind::SplitOff | Kind::SplitOffChecked => {
                step.n = draw.a.of(remaining);
                if spare_the_reference && buf.breaks_the_reference(step.n) {
                    step.n -= 1;
                }
            }
            Kind::FillFirst | Kind::BufMutAdvance => {
                step.n = draw.a.of(buf.first()).min(buf.first())
            }
            Kind::VectoredCommit | Kind::VectoredAbort | Kind::VectoredChecked => {
                step.m = draw.b.of(to_write);
                let writable = step.max_len().unwrap_or(remaining).min(remaining);
                step.n = draw.a.of(writable.min(1024)).min(writable);
            }
            Kind::Writer => {
                let most = if rarely { 70_000 } else { 5_000 };
                step.n = draw.a.of(most).min(most);
            }
            Kind::Advance
            | Kind::Range
            | Kind::RangeChecked
            | Kind::BufReadConsume
            | Kind::BufAdvance
            | Kind::BufCopyToBytes => {
                step.n = draw.a.of(view.len());
                step.m = draw.b.of(view.len());
            }
            Kind::CopyToSlice | Kind::CopyToUninit | Kind::Read | Kind::ReadExact => {
                step.n = match draw.a {
                    Amount::Max => view.len() + 1,
                    amount => amount.of(view.len()),
                };
            }
            Kind::FromVec | Kind::FromBytes | Kind::CopiedFromSlice => {
                step.n = draw.a.of(64).min(200);
            }
            _ => {}
        }
        step
    }

    /// Applies `step`; panics are expected to change nothing.
    pub fn apply(&mut self, step: &Step) -> Outcome {
        self.perform(step).unwrap_or(Outcome::Panicked)
    }

    fn perform(&mut self, step: &Step) -> Expected {
        let &Step { x, y, n, salt, .. } = step;
        match step.kind {
            Kind::Reserve => self.bufs[x].reserve(n, step.provider()),
            Kind::PutSlice | Kind::BufMutPut => self.put(x, &step.content())?,
            Kind::PutByte => self.put(x, &[salt as u8])?,
            Kind::PutByteRepeated => {
                within(n, self.bufs[x].remaining())?;
                self.put(x, &vec![salt as u8; n])?;
            }
            Kind::PutNum => self.put(x, &encode(step))?,
            Kind::PutBytesClone => {
                let bytes = self.views[y].clone();
                self.bufs[x].put_bytes(&bytes);
            }
            Kind::PutBytesMove => {
                let bytes = take(&mut self.views[y]);
                self.bufs[x].put_bytes(&bytes);
            }
            Kind::Peek => self.views[y] = self.bufs[x].data.clone(),
            Kind::Consume => {
                within(n, self.bufs[x].data.len())?;
                self.views[y] = self.bufs[x].consume(n);
            }
            Kind::ConsumeChecked => {
                if within(n, self.bufs[x].data.len()).is_err() {
                    return Ok(Outcome::Refused);
                }
                self.views[y] = self.bufs[x].consume(n);
            }
            Kind::ConsumeAll => {
                let all = self.bufs[x].data.len();
                self.views[y] = self.bufs[x].consume(all);
            }
            Kind::SplitOff | Kind::SplitOffChecked => {
                if within(n, self.bufs[x].remaining()).is_err() {
                    return if step.kind == Kind::SplitOff {
                        Err(())
                    } else {
                        Ok(Outcome::Refused)
                    };
                }
                self.bufs[(x + 1) % BUFS] = self.bufs[x].split_off(n);
            }
            Kind::FillFirst | Kind::BufMutAdvance => self.put(x, &step.content())?,
            Kind::VectoredCommit | Kind::VectoredAbort | Kind::VectoredChecked => {
                let buf = &mut self.bufs[x];
                let max_len = step.max_len().unwrap_or_else(|| buf.remaining());
                if within(max_len, buf.remaining()).is_err() {
                    let refused = step.kind == Kind::VectoredChecked;
                    return if refused {
                        Ok(Outcome::Refused)
                    } else {
                        Err(())
                    };
                }
                let lens = buf.unfilled(max_len);
                if step.kind != Kind::VectoredAbort {
                    buf.fill(&step.content());
                }
                return Ok(Outcome::Lens(lens));
            }
            Kind::GuardBuf | Kind::GuardView | Kind::DropGuards => {}
            Kind::NewBuf => self.bufs[x] = ModelBuf::default(),
            Kind::BufFromView => {
                let data = take(&mut self.views[y]);
                self.bufs[x] = ModelBuf {
                    data,
                    ..ModelBuf::default()
                };
            }
            Kind::BufFromBlocks => {
                let blocks = plank_sizes(salt).into_iter().rev().collect();
                self.bufs[x] = ModelBuf {
                    blocks,
                    ..ModelBuf::default()
                };
            }
            Kind::Writer => {
                let buf = &mut self.bufs[x];
                if n > buf.remaining() {
                    let fresh = buf.data.len() + buf.remaining() == 0;
                    let wanted = if fresh && n <= 4096 {
                        4096
                    } else {
                        n.max(65536)
                    };
                    buf.reserve(wanted, step.provider());
                }
                buf.fill(&step.content());
                return Ok(Outcome::Count(n));
            }

            Kind::Advance | Kind::BufReadConsume | Kind::BufAdvance => {
                self.take(x, n)?;
            }
            Kind::GetByte => {
                let byte = self.take(x, 1)?[0];
                return Ok(Outcome::Number(u128::from(byte)));
            }
            Kind::GetNum => {
                let bytes = self.take(x, width(step))?;
                return Ok(Outcome::Number(decode(&bytes, step.number().1)));
            }
            Kind::CopyToSlice | Kind::CopyToUninit | Kind::BufCopyToBytes => {
                return Ok(Outcome::Bytes(self.take(x, n)?));
            }
            Kind::Range | Kind::RangeChecked => match resolve_range(step, self.views[x].len()) {
                Some((start, end)) => self.views[y] = self.views[x][start..end].to_vec(),
                None if step.kind == Kind::Range => return Err(()),
                None => return Ok(Outcome::Refused),
            },
            Kind::Append => {
                let other = take(&mut self.views[y]);
                self.views[x].extend_from_slice(&other);
            }
            Kind::Concat => {
                self.views[x] = [self.views[x].as_slice(), &self.views[y]].concat();
            }
            Kind::Clone => self.views[y] = self.views[x].clone(),
            Kind::FromViews => self.views[x] = self.views.concat(),
            Kind::ConsumeAllSlices | Kind::ReadToEnd => {
                return Ok(Outcome::Bytes(take(&mut self.views[x])));
            }
            Kind::Read => {
                let n = n.min(self.views[x].len());
                return Ok(Outcome::Bytes(self.take(x, n)?));
            }
            Kind::ReadExact => {
                return Ok(match self.take(x, n) {
                    Ok(bytes) => Outcome::Bytes(bytes),
                    Err(()) => Outcome::Refused,
                });
            }
            Kind::ReadLine => {
                let view = &self.views[x];
                let end = view.iter().position(|&byte| byte == salt as u8);
                let n = end.map_or(view.len(), |at| at + 1);
                return Ok(Outcome::Bytes(self.take(x, n)?));
            }
            Kind::Equal => return Ok(Outcome::Is(self.views[x] == self.views[y])),
            Kind::FromVec | Kind::CopiedFromSlice | Kind::FromBytes => {
                self.views[y] = step.content();
            }
            Kind::IntoBytes | Kind::ToBytes => return Ok(Outcome::Bytes(self.views[x].clone())),
            Kind::BufChunks => return Ok(Outcome::Count(self.views[x].len())),
            Kind::DropView => self.views[x].clear(),
        }
        Ok(Outcome::Done)
    }

    fn put(&mut self, x: usize, bytes: &[u8]) -> Result<(), ()> {
        within(bytes.len(), self.bufs[x].remaining())?;
        self.bufs[x].fill(bytes);
        Ok(())
    }

    fn take(&mut self, x: usize, n: usize) -> Result<Vec<u8>, ()> {
        within(n, self.views[x].len())?;
        let rest = self.views[x].split_off(n);
        Ok(std::mem::replace(&mut self.views[x], rest))
    }
}

fn within(n: usize, limit: usize) -> Result<(), ()> {
    if n <= limit { Ok(()) } else { Err(()) }
}

/// Sizes of blocks for `BufFromBlocks`, in the order in which they are supplied.
pub fn plank_sizes(salt: u64) -> Vec<usize> {
    let start = (salt >> 8) as usize;
    (0..(salt % 5) as usize)
        .map(|i| planks::SIZES[(start + i) % planks::SIZES.len()])
        .collect()
}

fn resolve_range(step: &Step, len: usize) -> Option<(usize, usize)> {
    let (start, end) = step.range();
    let start = match start {
        Bound::Included(start) => start,
        Bound::Excluded(before) => before.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let end = match end {
        Bound::Included(last) => last.checked_add(1)?,
        Bound::Excluded(end) => end,
        Bound::Unbounded => len,
    };
    (start <= end && end <= len).then_some((start, end))
}

/// Bytes of the number type of the step: `u8, u16, u32, u64, u128, i32, f64`.
fn width(step: &Step) -> usize {
    [1, 2, 4, 8, 16, 4, 8][usize::from(step.number().0)]
}

fn encode(step: &Step) -> Vec<u8> {
    let mut bytes = step.bits().to_le_bytes()[..width(step)].to_vec();
    if is_big(step.number().1) {
        bytes.reverse();
    }
    bytes
}

fn decode(bytes: &[u8], order: Order) -> u128 {
    let mut all = [0; 16];
    all[..bytes.len()].copy_from_slice(bytes);
    if is_big(order) {
        all[..bytes.len()].reverse();
    }
    u128::from_le_bytes(all)
}

fn is_big(order: Order) -> bool {
    match order {
        Order::Little => false,
        Order::Big => true,
        Order::Native => cfg!(target_endian = "big"),
    }
}
