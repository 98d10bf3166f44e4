//! Random operations on one pool, and a model that counts along: after each step the
//! statistics say what the model says.

use std::collections::BTreeMap;
use std::thread;

use bytesbuf_core::{Block, BlockProvider, BlockRefBatch};
use bytesbuf_pool::{Budget, GlobalPool};

use crate::util::{LARGE, SIZES, rounds};

/// A small generator of numbers (xorshift, Marsaglia 2003): reproducible by seed.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

/// What is held of a block.
#[derive(Debug)]
enum Held {
    Lent(Block),
    Opened(Vec<BlockRefBatch>),
}

/// One block that the model knows of.
#[derive(Debug)]
struct Entry {
    size: usize,
    /// Charged to the child budget, not to the pool's own alone.
    of_child: bool,
    held: Held,
}

struct Machine {
    pool: GlobalPool,
    child: GlobalPool,
    /// The child's budget.
    budget: Budget,
    handles: Vec<GlobalPool>,
    entries: Vec<Entry>,
    rentals: BTreeMap<usize, usize>,
    peak: usize,
}

/// Where a request is met by a pool with default settings.
fn class_of(bytes: usize) -> usize {
    SIZES.into_iter().find(|&size| bytes <= size).unwrap()
}

impl Machine {
    fn new() -> Self {
        let pool = GlobalPool::builder().max_bytes(40 * LARGE).build().unwrap();
        let budget = pool.budget().unwrap().child(10 * LARGE);
        Self {
            child: pool.with_budget(&budget),
            handles: vec![pool.clone()],
            budget,
            pool,
            entries: Vec::new(),
            rentals: BTreeMap::new(),
            peak: 0,
        }
    }

    fn in_use(&self, which: impl Fn(&Entry) -> bool) -> usize {
        let entries = self.entries.iter().filter(|entry| which(entry));
        entries.map(|entry| entry.size).sum()
    }

    fn lent(&mut self, block: Block, of_child: bool) {
        let size = block.len().get() as usize;
        *self.rentals.entry(size).or_default() += 1;
        self.entries.push(Entry {
            size,
            of_child,
            held: Held::Lent(block),
        });
        self.peak = self.peak.max(self.in_use(|_| true));
    }

    /// Rents in one of the ways, and checks a refusal against the model's figures.
    fn rent(&mut self, rng: &mut Rng) {
        let of_child = rng.below(3) == 0;
        let pool = if of_child { &self.child } else { &self.pool }.clone();
        let bytes = [rng.below(LARGE) + 1, rng.below(5 * LARGE), 3 << 20][rng.below(16) / 7];
        let mut blocks = Vec::new();
        let (outcome, expected) = match rng.below(3) {
            0 => {
                let bytes = bytes.clamp(1, LARGE);
                let rented = pool.rent(bytes).map(|block| blocks.push(block));
                (rented, class_of(bytes))
            }
            1 if bytes > 0 => {
                let rented = pool.rent_contiguous(bytes).map(|block| blocks.push(block));
                if let [block] = &blocks[..] {
                    assert!(block.len().get() as usize >= bytes);
                }
                (rented, bytes)
            }
            _ => {
                let bytes = bytes.min(5 * LARGE);
                let provided = pool.provide(bytes, &mut |block| blocks.push(block));
                let expected = match bytes {
                    0 => 0,
                    1..=LARGE => class_of(bytes),
                    _ => bytes.div_ceil(LARGE) * LARGE,
                };
                if provided.is_ok() {
                    let sum: usize = blocks.iter().map(|block| block.len().get() as usize).sum();
                    assert_eq!(sum, expected);
                }
                (provided, expected)
            }
        };
        if outcome.is_err() {
            assert!(blocks.is_empty(), "a refusal rents nothing");
            let room_of_all = 40 * LARGE - self.in_use(|_| true);
            let room_of_child = 10 * LARGE - self.in_use(|entry| entry.of_child);
            // A contiguous block may be up to four times as large as what was asked for.
            let most = 4 * expected;
            let no_room = most > room_of_all || of_child && most > room_of_child;
            assert!(no_room, "{expected} bytes were refused without need");
        }
        for block in blocks {
            self.lent(block, of_child);
        }
    }

    fn step(&mut self, rng: &mut Rng) {
        let one = rng.below(self.entries.len());
        match rng.below(12) {
            0..=4 => self.rent(rng),
            5 if !self.entries.is_empty() => {
                let entry = &mut self.entries[one];
                // Opened, and its references handed to several.
                let held = std::mem::replace(&mut entry.held, Held::Opened(Vec::new()));
                let mut batches = match held {
                    Held::Lent(block) => vec![block.open().2],
                    Held::Opened(batches) => batches,
                };
                let twin = batches[0].clone();
                let split = batches[0].split();
                batches.extend([twin, split]);
                entry.held = Held::Opened(batches);
            }
            6 if !self.entries.is_empty() => {
                // Some of the references: the block stays in use.
                if let Held::Opened(batches) = &mut self.entries[one].held {
                    batches.truncate(1 + rng.below(3));
                }
            }
            7 | 8 if !self.entries.is_empty() => drop(self.entries.swap_remove(one)),
            9 if !self.entries.is_empty() => {
                let some = self.entries.split_off(one);
                thread::spawn(move || drop(some)).join().unwrap();
            }
            10 => {
                let before = self.pool.stats();
                let bytes = match rng.below(3) {
                    0 => self.pool.trim(),
                    1 => self.pool.trim_to(rng.below(LARGE)),
                    _ => self.pool.maintain(),
                };
                let after = self.pool.stats();
                assert_eq!(after.bytes_allocated() + bytes, before.bytes_allocated());
            }
            _ => {
                if self.handles.len() > 3 {
                    self.handles.swap_remove(rng.below(3));
                } else {
                    self.handles.push(self.child.clone());
                }
            }
        }
    }

    fn check(&self, seed: u64) {
        let stats = self.pool.stats();
        let in_use = self.in_use(|_| true);
        assert_eq!(stats.bytes_in_use(), in_use, "seed {seed}: {stats}");
        let allocated = stats.bytes_in_use() + stats.bytes_cached();
        assert!(stats.bytes_allocated() >= allocated, "seed {seed}: {stats}");
        let mut of_classes = 0;
        for class in stats.classes() {
            let size = class.block_size().get() as usize;
            let count = self
                .entries
                .iter()
                .filter(|entry| entry.size == size)
                .count();
            of_classes += count;
            assert_eq!(class.blocks_in_use(), count, "seed {seed}: {stats}");
            let rentals = self.rentals.get(&size).copied().unwrap_or_default();
            assert_eq!(class.rentals(), rentals, "seed {seed}: {stats}");
            assert_eq!(
                class.hits() + class.misses(),
                rentals,
                "seed {seed}: {stats}"
            );
            assert!(class.high_water() >= count, "seed {seed}: {stats}");
            let cached = class.blocks_cached_by_threads() + class.blocks_cached_in_depot();
            assert_eq!(class.blocks_cached(), cached, "seed {seed}: {stats}");
        }
        let direct = self.entries.len() - of_classes;
        assert_eq!(stats.direct_blocks_in_use(), direct, "seed {seed}: {stats}");
        assert_eq!(stats.out_of_memory(), 0);

        let budget = self.pool.budget().unwrap();
        assert_eq!(
            (budget.in_use(), budget.waiting()),
            (in_use, 0),
            "seed {seed}"
        );
        assert_eq!(budget.peak(), self.peak, "seed {seed}");
        assert_eq!(budget.available(), 40 * LARGE - in_use, "seed {seed}");
        let of_child = self.in_use(|entry| entry.of_child);
        assert_eq!(self.budget.in_use(), of_child, "seed {seed}");
        assert_eq!(self.budget.stats().in_use, of_child, "seed {seed}");

        // What is printed are the same figures.
        let text = stats.to_string();
        assert!(
            text.contains(&format!("total: {in_use} bytes rented")),
            "{text}"
        );
        let short = format!("{:?}", self.pool);
        assert!(
            short.contains(&format!("bytes_in_use: {in_use},")),
            "{short}"
        );
    }
}

#[test]
fn statistics_are_those_of_the_model() {
    for seed in 1..=if cfg!(miri) { 3_u64 } else { 60 } {
        let mut rng = Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut machine = Machine::new();
        for _ in 0..rounds(150) {
            machine.step(&mut rng);
            machine.check(seed);
        }
        machine.entries.clear();
        machine.check(seed);
    }
}
