//! Random operations on views, beside a model that knows for each byte which block it is
//! in.

use std::collections::BTreeSet;

use bytesbuf::BytesView;

use super::lender::Lender;

/// Most bytes of a new view.
const LONGEST: usize = if cfg!(miri) { 12 } else { 40 };

/// Number of a block, all lenders together.
type Id = usize;

/// The bytes of a view; the block of each, if it is in one.
type Bytes = Vec<(u8, Option<Id>)>;

struct World {
    random: u64,
    lenders: Vec<Lender>,
    /// Of each block: who lent it (if anybody), and what is said of its size.
    blocks: Vec<(Option<usize>, Option<usize>)>,
    views: Vec<(BytesView, Bytes)>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut lenders = Vec::new();
        for size in [1, 5, 16, 200] {
            lenders.extend(Lender::both(size));
        }
        lenders.extend(Lender::both(7).map(|lender| lender.telling(None)));
        Self {
            random: seed.wrapping_mul(2).wrapping_add(1),
            lenders,
            blocks: Vec::new(),
            views: Vec::new(),
        }
    }

    /// A number below `end`, which is not 0. (xorshift)
    fn below(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 16) as usize % end
    }

    /// A range within `0..=len`.
    fn range(&mut self, len: usize) -> (usize, usize) {
        let (a, b) = (self.below(len + 1), self.below(len + 1));
        (a.min(b), a.max(b))
    }

    /// The bytes in new blocks of a lender.
    fn lent(&mut self, lender: usize, bytes: &[u8]) -> Bytes {
        let (size, tells) = (self.lenders[lender].size(), self.lenders[lender].tells());
        let first = self.blocks.len();
        let count = bytes.len().div_ceil(size);
        self.blocks.resize(first + count, (Some(lender), tells));
        let numbered = bytes.iter().enumerate();
        numbered
            .map(|(i, &byte)| (byte, Some(first + i / size)))
            .collect()
    }

    fn create(&mut self) -> (BytesView, Bytes) {
        let len = self.below(LONGEST + 1);
        let bytes: Vec<u8> = (0..len).map(|_| self.below(256) as u8).collect();
        match self.below(self.lenders.len() + 2) {
            0 => {
                static BYTES: [u8; LONGEST] = [7; LONGEST];
                let view = BytesView::from_static(&BYTES[..len]);
                (view, vec![(7, None); len])
            }
            1 => {
                let id = self.blocks.len();
                self.blocks.push((None, Some(len)));
                let model = bytes.iter().map(|&byte| (byte, Some(id))).collect();
                (BytesView::from(bytes), model)
            }
            lender => {
                let lender = lender - 2;
                let memory = self.lenders[lender].memory();
                let view = BytesView::copied_from_slice(&bytes, &memory);
                (view, self.lent(lender, &bytes))
            }
        }
    }

    fn retained(&self, bytes: &Bytes) -> usize {
        let ids = bytes.iter().filter_map(|&(_, id)| id);
        let silent = ids.clone().filter(|&id| self.blocks[id].1.is_none());
        let telling: BTreeSet<Id> = ids.clone().collect();
        let told = telling.into_iter().filter_map(|id| self.blocks[id].1);
        silent.count() + told.sum::<usize>()
    }

    fn step(&mut self) {
        if self.views.is_empty() || (self.views.len() < 12 && self.below(4) == 0) {
            let new = self.create();
            self.views.push(new);
            return;
        }
        let index = self.below(self.views.len());
        let (mut view, mut bytes) = self.views.swap_remove(index);
        let (from, to) = self.range(bytes.len());
        match self.below(10) {
            0 => return,
            1 => self.views.push((view.clone(), bytes.clone())),
            2 => self
                .views
                .push((view.range(from..to), bytes[from..to].to_vec())),
            3 => {
                view.advance(from);
                bytes.drain(..from);
            }
            4 => {
                view.truncate(to);
                bytes.truncate(to);
            }
            5 => {
                let front = view.split_to(from);
                self.views.push((front, bytes.drain(..from).collect()));
            }
            6 | 7 => {
                if let Some((other, theirs)) = self.views.pop() {
                    if bytes.len() + theirs.len() < 5 * LONGEST {
                        view.append(other);
                        bytes.extend(theirs);
                    }
                }
            }
            8 => self.detach(&mut view, &mut bytes),
            _ => self.detach_if(&mut view, &mut bytes),
        }
        self.views.push((view, bytes));
    }

    fn detach(&mut self, view: &mut BytesView, bytes: &mut Bytes) {
        let lender = self.below(self.lenders.len());
        view.detach(&self.lenders[lender].memory());
        if bytes.iter().any(|(_, id)| id.is_some()) {
            let content: Vec<u8> = bytes.iter().map(|&(byte, _)| byte).collect();
            *bytes = self.lent(lender, &content);
        }
    }

    fn detach_if(&mut self, view: &mut BytesView, bytes: &mut Bytes) {
        let lender = self.below(self.lenders.len());
        let factor = self.below(3);
        let (len, before) = (bytes.len(), self.retained(bytes));
        let mut asked = false;
        let detached = view.detach_if(&self.lenders[lender].memory(), |figures| {
            asked = true;
            assert_eq!((figures.len, figures.retained), (len, before));
            figures.retained > factor * figures.len
        });
        assert_eq!(asked, before > len);
        let content: Vec<u8> = bytes.iter().map(|&(byte, _)| byte).collect();
        let copy = self.lent(lender, &content);
        let expected = asked && before > factor * len && self.retained(&copy) < before;
        assert_eq!(detached, expected);
        if detached {
            *bytes = copy;
        }
    }

    fn check(&self) {
        let mut kept = BTreeSet::new();
        for (view, bytes) in &self.views {
            let content: Vec<u8> = bytes.iter().map(|&(byte, _)| byte).collect();
            assert_eq!(*view, content);
            assert_eq!(view.retained_bytes(), self.retained(bytes));
            kept.extend(bytes.iter().filter_map(|&(_, id)| id));
        }
        for (index, lender) in self.lenders.iter().enumerate() {
            let theirs = kept.iter().filter(|&&id| self.blocks[id].0 == Some(index));
            assert_eq!(lender.out(), theirs.count(), "blocks of {lender:?}");
        }
    }
}

#[test]
fn random_operations_keep_to_the_model() {
    let (seeds, steps) = if cfg!(miri) { (1, 30) } else { (40, 300) };
    for seed in 0..seeds {
        let mut world = World::new(seed);
        for _ in 0..steps {
            world.step();
            world.check();
        }
        world.views.clear();
        world.check();
    }
}
