//! Budgets as they are documented, without atomics: levels with queues.

use std::collections::VecDeque;

/// One level.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) limit: usize,
    parent: Option<usize>,
    pub(super) in_use: usize,
    pub(super) peak: usize,
    pub(super) waits: usize,
    pub(super) refusals: usize,
    /// Requests that wait, by number, with their bytes.
    pub(super) queue: VecDeque<(usize, usize)>,
}

impl Level {
    fn fits(&self, bytes: usize) -> bool {
        self.queue.is_empty() && bytes <= self.limit - self.in_use
    }

    fn take(&mut self, bytes: usize) {
        self.in_use += bytes;
        self.peak = self.peak.max(self.in_use);
    }
}

/// All levels so far.
#[derive(Debug, Default)]
pub(super) struct Levels {
    pub(super) all: Vec<Level>,
    /// Requests granted since their last poll.
    pub(super) granted: Vec<usize>,
}

/// How far a request has got.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    Done,
    Waits,
    /// It is larger than a limit.
    Never,
}

impl Levels {
    pub(super) fn add(&mut self, limit: usize, parent: Option<usize>) {
        self.all.push(Level {
            limit,
            parent,
            ..Level::default()
        });
    }

    /// A level and those above it.
    pub(super) fn chain(&self, level: usize) -> Vec<usize> {
        std::iter::successors(Some(level), |&level| self.all[level].parent).collect()
    }

    pub(super) fn available(&self, level: usize) -> usize {
        let room = |level: &Level| {
            if level.queue.is_empty() {
                level.limit - level.in_use
            } else {
                0
            }
        };
        let rooms = self
            .chain(level)
            .into_iter()
            .map(|level| room(&self.all[level]));
        rooms.min().unwrap_or(0)
    }

    pub(super) fn waits(&self, level: usize) -> bool {
        self.chain(level)
            .iter()
            .any(|&level| !self.all[level].queue.is_empty())
    }

    fn charge_levels(&mut self, level: usize, bytes: usize) -> Result<(), usize> {
        let chain = self.chain(level);
        if bytes > 0 {
            if let Some(&level) = chain.iter().find(|&&level| !self.all[level].fits(bytes)) {
                return Err(level);
            }
        }
        chain.iter().for_each(|&level| self.all[level].take(bytes));
        Ok(())
    }

    /// At every level, or at none; the lowest one without room counts the refusal.
    pub(super) fn try_charge(&mut self, level: usize, bytes: usize) -> bool {
        let outcome = self.charge_levels(level, bytes);
        if let Err(level) = outcome {
            self.all[level].refusals += 1;
        }
        outcome.is_ok()
    }

    pub(super) fn credit(&mut self, levels: &[usize], bytes: usize) {
        for &level in levels {
            self.all[level].in_use -= bytes;
        }
        for &level in levels {
            self.settle(level);
        }
    }

    /// Grants the first in the queue their bytes as long as there is room.
    fn settle(&mut self, level: usize) {
        let level = &mut self.all[level];
        while let Some(&(id, need)) = level.queue.front() {
            if need > level.limit - level.in_use {
                return;
            }
            level.queue.pop_front();
            level.take(need);
            self.granted.push(id);
        }
    }

    /// The first poll of a request. `charged` is how many levels of the chain it has.
    pub(super) fn begin(
        &mut self,
        id: usize,
        level: usize,
        bytes: usize,
        charged: &mut usize,
    ) -> Progress {
        if self.charge_levels(level, bytes).is_ok() {
            *charged = self.chain(level).len();
            return Progress::Done;
        }
        let too_small = |&&level: &&usize| bytes > self.all[level].limit;
        if let Some(&level) = self.chain(level).iter().find(too_small) {
            self.all[level].refusals += 1;
            return Progress::Never;
        }
        self.climb(id, level, bytes, charged)
    }

    /// Another poll: what was granted is its own now, and it goes on above.
    pub(super) fn poll(
        &mut self,
        id: usize,
        level: usize,
        bytes: usize,
        charged: &mut usize,
    ) -> Progress {
        if !self.see_granted(id) {
            return Progress::Waits;
        }
        *charged += 1;
        self.climb(id, level, bytes, charged)
    }

    fn see_granted(&mut self, id: usize) -> bool {
        let at = self.granted.iter().position(|&granted| granted == id);
        at.map(|at| self.granted.swap_remove(at)).is_some()
    }

    fn climb(&mut self, id: usize, level: usize, bytes: usize, charged: &mut usize) -> Progress {
        let chain = self.chain(level);
        while let Some(&level) = chain.get(*charged) {
            let level = &mut self.all[level];
            if !level.fits(bytes) {
                level.waits += 1;
                level.queue.push_back((id, bytes));
                return Progress::Waits;
            }
            level.take(bytes);
            *charged += 1;
        }
        Progress::Done
    }

    /// A request that waits is dropped. Returns the level that it waited at.
    pub(super) fn cancel(
        &mut self,
        id: usize,
        level: usize,
        bytes: usize,
        mut charged: usize,
    ) -> usize {
        let chain = self.chain(level);
        let waited_at = chain[charged];
        if self.see_granted(id) {
            charged += 1;
        } else {
            self.all[waited_at].queue.retain(|&(other, _)| other != id);
            self.settle(waited_at);
        }
        self.credit(&chain[..charged], bytes);
        waited_at
    }
}
