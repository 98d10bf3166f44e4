//! Random operations on three levels, against a model without atomics.

use std::collections::{HashMap, VecDeque};

use super::*;

const LIMITS: [usize; 4] = [20, 14, 14, 6];
/// Each level's parent.
const PARENTS: [Option<usize>; 4] = [None, Some(0), Some(0), Some(1)];

#[derive(Default)]
struct ModelLevel {
    in_use: usize,
    peak: usize,
    queue: VecDeque<(usize, usize)>,
}

#[derive(Default)]
struct Model {
    levels: [ModelLevel; 4],
    /// Requests granted since their last poll.
    granted: Vec<usize>,
}

/// A level and those above it.
fn chain(level: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(level), |&level| PARENTS[level])
}

impl Model {
    fn fits(&self, level: usize, bytes: usize) -> bool {
        self.levels[level].queue.is_empty() && self.levels[level].in_use + bytes <= LIMITS[level]
    }

    fn take(&mut self, level: usize, bytes: usize) {
        let level = &mut self.levels[level];
        level.in_use += bytes;
        level.peak = level.peak.max(level.in_use);
    }

    fn try_charge(&mut self, level: usize, bytes: usize) -> bool {
        let fits = bytes == 0 || chain(level).all(|level| self.fits(level, bytes));
        if fits {
            chain(level).for_each(|level| self.take(level, bytes));
        }
        fits
    }

    fn credit(&mut self, levels: &[usize], bytes: usize) {
        for &level in levels {
            self.levels[level].in_use -= bytes;
        }
        for &level in levels {
            self.settle(level);
        }
    }

    fn settle(&mut self, level: usize) {
        while let Some(&(id, need)) = self.levels[level].queue.front() {
            if self.levels[level].in_use + need > LIMITS[level] {
                return;
            }
            self.levels[level].queue.pop_front();
            self.take(level, need);
            self.granted.push(id);
        }
    }
}

/// A request in the model: where it waits, above levels that it has charged.
struct Request {
    future: ChargeFuture,
    woken: Arc<Woken>,
    waker: Waker,
    seen: usize,
    level: usize,
    bytes: usize,
    /// Levels charged, including one that was granted since the last poll.
    charged: usize,
}

struct Test {
    budgets: [Budget; 4],
    model: Model,
    charges: Vec<(usize, Charge)>,
    requests: HashMap<usize, Request>,
    next: usize,
    state: u64,
}

impl Test {
    fn new(seed: u64) -> Self {
        let root = Budget::new(LIMITS[0]);
        let (left, right) = (root.child(LIMITS[1]), root.child(LIMITS[2]));
        let leaf = left.child(LIMITS[3]);
        Self {
            budgets: [root, left, right, leaf],
            model: Model::default(),
            charges: Vec::new(),
            requests: HashMap::new(),
            next: 0,
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }

    /// Below `bound`; xorshift.
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) as usize % bound
    }

    fn some_request(&mut self) -> Option<usize> {
        let mut ids: Vec<_> = self.requests.keys().copied().collect();
        ids.sort_unstable();
        (!ids.is_empty()).then(|| ids[self.below(ids.len())])
    }

    fn step(&mut self) {
        match self.below(10) {
            0..=2 => {
                let (level, bytes) = (self.below(4), self.below(9));
                let expected = self.model.try_charge(level, bytes);
                let outcome = self.budgets[level].try_charge(bytes);
                assert_eq!(outcome.is_ok(), expected, "try_charge({bytes}) at {level}");
                self.charges
                    .extend(outcome.ok().map(|charge| (level, charge)));
            }
            3 | 4 if !self.charges.is_empty() => {
                let at = self.below(self.charges.len());
                let (level, charge) = self.charges.swap_remove(at);
                let levels: Vec<_> = chain(level).collect();
                if charge.bytes() > 0 {
                    self.model.credit(&levels, charge.bytes());
                }
                drop(charge);
            }
            5 if !self.charges.is_empty() => {
                let at = self.below(self.charges.len());
                let bytes = self.below(6);
                let (level, charge) = &mut self.charges[at];
                let enough = charge.bytes() >= bytes;
                let part = charge.split(bytes).map(|part| (*level, part));
                assert_eq!(part.is_some(), enough);
                self.charges.extend(part);
            }
            6 | 7 => {
                let (level, bytes) = (self.below(4), 1 + self.below(6));
                let (woken, waker) = Woken::new();
                let request = Request {
                    future: self.budgets[level].charge_async(bytes),
                    woken,
                    waker,
                    seen: 0,
                    level,
                    bytes,
                    charged: 0,
                };
                self.next += 1;
                self.requests.insert(self.next, request);
                self.poll(self.next, true);
            }
            8 => {
                if let Some(id) = self.some_request() {
                    self.poll(id, false);
                }
            }
            _ => {
                if let Some(id) = self.some_request() {
                    self.cancel(id);
                }
            }
        }
        self.check();
    }

    fn poll(&mut self, id: usize, first: bool) {
        let request = self.requests.get_mut(&id).unwrap();
        let levels: Vec<_> = chain(request.level).collect();
        let granted = self.model.granted.iter().position(|&granted| granted == id);
        let waits = !first && granted.is_none();
        if let Some(at) = granted {
            self.model.granted.swap_remove(at);
            request.charged += 1;
        }
        let mut done = true;
        if first && self.model.try_charge(request.level, request.bytes) {
            request.charged = levels.len();
        } else if waits {
            done = false;
        }
        while done && request.charged < levels.len() {
            let level = levels[request.charged];
            if self.model.fits(level, request.bytes) {
                self.model.take(level, request.bytes);
                request.charged += 1;
            } else {
                self.model.levels[level]
                    .queue
                    .push_back((id, request.bytes));
                done = false;
            }
        }
        request.seen = request.woken.count();
        match poll(&mut request.future, &request.waker) {
            Poll::Ready(charge) => {
                assert!(done, "granted too early");
                self.charges.push((request.level, charge.unwrap()));
                self.requests.remove(&id);
            }
            Poll::Pending => assert!(!done, "granted too late"),
        }
    }

    fn cancel(&mut self, id: usize) {
        let mut request = self.requests.remove(&id).unwrap();
        let levels: Vec<_> = chain(request.level).collect();
        if let Some(at) = self.model.granted.iter().position(|&granted| granted == id) {
            self.model.granted.swap_remove(at);
            request.charged += 1;
        } else {
            let level = levels[request.charged];
            self.model.levels[level]
                .queue
                .retain(|&(other, _)| other != id);
            self.model.settle(level);
        }
        self.model.credit(&levels[..request.charged], request.bytes);
        drop(request.future);
    }

    fn check(&self) {
        for (n, (level, budget)) in self.model.levels.iter().zip(&self.budgets).enumerate() {
            let expected = (level.in_use, level.peak, level.queue.len());
            let actual = (budget.in_use(), budget.peak(), budget.waiting());
            assert_eq!(actual, expected, "level {n}");
        }
        for (id, request) in &self.requests {
            let woken = request.woken.count() > request.seen;
            assert_eq!(woken, self.model.granted.contains(id), "request {id}");
        }
    }
}

#[test]
fn random_operations_do_as_the_model_does() {
    let (seeds, steps) = if cfg!(miri) { (2, 100) } else { (200, 500) };
    let mut waits = 0;
    for seed in 1..=seeds {
        let mut test = Test::new(seed);
        for _ in 0..steps {
            test.step();
        }
        waits += test.budgets[0].stats().waits;
        while let Some(id) = test.some_request() {
            test.cancel(id);
            test.check();
        }
        test.charges.clear();
        for budget in &test.budgets {
            assert_eq!(
                (budget.in_use(), budget.waiting()),
                (0, 0),
                "accounting is zero"
            );
        }
    }
    assert!(waits > 0, "nobody waited: nothing was tested");
}
