//! What a thread does, until it is told to stop.

use std::collections::VecDeque;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use bytesbuf::mem::GlobalPool;

use crate::Plant;
use crate::message::Message;
use crate::obtain::obtain;
use crate::random::Random;
use crate::totals::Totals;

/// Short-lived threads of one worker at a time.
pub(crate) const SHORT_THREADS: usize = 3;

/// Messages that a short-lived thread has in hand at most, one after the other.
pub(crate) const SHORT_MESSAGES: usize = 5;

/// Messages that one worker holds at most: those with few bytes would be without end.
const MAX_HELD: usize = 10_000;

pub(crate) struct Worker<'a> {
    pub(crate) random: Random,
    /// The pool, and the pool on a connection's budget.
    pub(crate) handles: [GlobalPool; 2],
    pub(crate) inbox: Receiver<Message>,
    pub(crate) others: Vec<SyncSender<Message>>,
    pub(crate) totals: &'a Totals,
    pub(crate) plant: Option<Plant>,
    pub(crate) held: VecDeque<Message>,
    pub(crate) short: VecDeque<JoinHandle<Option<Message>>>,
    /// What a message is written from.
    pub(crate) scratch: Vec<u8>,
}

impl Worker<'_> {
    /// Works until it is told to stop.
    pub(crate) fn run(mut self) -> Self {
        while !self.totals.is_stopped() {
            match self.random.below(1024) {
                0..420 => self.produce(),
                420..970 => self.receive(),
                970..1000 => self.let_go(1),
                1000..1016 => self.spawn_short(),
                1016..1022 => self.tidy(),
                _ if self.random.once_in(16) => self.let_go(500),
                _ => {}
            }
        }
        while let Some(thread) = self.short.pop_front() {
            self.join_short(thread);
        }
        self
    }

    /// When all have stopped, checks and drops all that it holds and all that the
    /// others have sent it.
    pub(crate) fn finish(mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            self.held.push_back(message);
        }
        self.let_go(usize::MAX);
    }

    fn produce(&mut self) {
        let bytes = self.random.size();
        let handle = &self.handles[self.random.below(2)];
        let Some(buf) = obtain(handle, bytes, &mut self.random, self.totals) else {
            let some = self.random.below(20);
            return self.let_go(some);
        };
        let mut scratch = mem::take(&mut self.scratch);
        let content = &mut scratch[..bytes];
        self.random.fill(content);
        let corrupt = self.plant == Some(Plant::Corrupt) && self.totals.take_fault();
        let message = Message::write(buf, content, &mut self.random, corrupt);
        self.scratch = scratch;
        self.totals.written.add(1);
        self.totals.bytes.add(bytes as u64);
        if self.plant == Some(Plant::Leak) && self.totals.take_fault() {
            return mem::forget(message.into_view());
        }
        self.pass_on(message);
    }

    fn receive(&mut self) {
        let Ok(message) = self.inbox.try_recv() else {
            return self.produce();
        };
        self.check(&message);
        match self.random.below(16) {
            0..2 => drop(message),
            2..6 => {
                self.totals.derived.add(1);
                let (one, other) = message.derive(&mut self.random);
                self.pass_on(one);
                if let Some(other) = other {
                    self.hold(other);
                }
            }
            6..8 => self.join(message),
            8 => {
                self.totals.derived.add(1);
                let mut header = [0; 12];
                self.random.fill(&mut header);
                let handle = &self.handles[self.random.below(2)];
                let message = message.with_header(handle, header);
                self.pass_on(message);
            }
            9..11 => self.pass_on(message),
            _ => self.hold(message),
        }
    }

    /// Joins it with one that this worker has held.
    fn join(&mut self, message: Message) {
        let Some(other) = self.held.pop_front() else {
            return self.hold(message);
        };
        self.check(&other);
        self.totals.derived.add(1);
        let (joined, apart) = message.join(other);
        self.pass_on(joined);
        if let Some(apart) = apart {
            self.hold(apart);
        }
    }

    /// To a random worker, this one maybe. A full inbox is no reason to wait.
    fn pass_on(&mut self, message: Message) {
        let to = self.random.below(self.others.len());
        match self.others[to].try_send(message) {
            Ok(()) => self.totals.handed_over.add(1),
            Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) => {
                self.hold(message);
            }
        }
    }

    fn hold(&mut self, message: Message) {
        if self.held.len() == MAX_HELD {
            self.let_go(1);
        }
        self.held.push_back(message);
    }

    /// Checks and drops some of what it holds, the oldest or any.
    fn let_go(&mut self, count: usize) {
        for _ in 0..count.min(self.held.len()) {
            if self.random.once_in(2) {
                let last = self.held.len() - 1;
                let any = self.random.below(last + 1);
                self.held.swap(any, last);
                self.held.rotate_right(1);
            }
            if let Some(message) = self.held.pop_front() {
                self.check(&message);
            }
        }
    }

    /// A thread that uses the pool a little and is gone.
    fn spawn_short(&mut self) {
        if self.short.len() == SHORT_THREADS {
            if let Some(oldest) = self.short.pop_front() {
                self.join_short(oldest);
            }
        }
        let inherited = self.held.pop_back();
        if let Some(message) = &inherited {
            self.check(message);
        }
        let handle = self.handles[self.random.below(2)].clone();
        let mut random = Random::new(self.random.next());
        let to = self.others[self.random.below(self.others.len())].clone();
        self.totals.short_threads.add(1);
        self.short.push_back(thread::spawn(move || {
            for _ in 0..random.below(SHORT_MESSAGES) {
                let mut content = vec![0; random.size()];
                random.fill(&mut content);
                if let Ok(buf) = handle.try_reserve(content.len()) {
                    let message = Message::write(buf, &mut content, &mut random, false);
                    // Full: dropped here.
                    let _ = to.try_send(message);
                }
            }
            // Half of what it got is dropped here, the rest goes back.
            inherited.filter(|_| random.once_in(2))
        }));
    }

    fn join_short(&mut self, thread: JoinHandle<Option<Message>>) {
        let message = thread.join().expect("a short-lived thread panicked");
        if let Some(message) = message {
            self.hold(message);
        }
    }

    fn tidy(&mut self) {
        let pool = &self.handles[0];
        match self.random.below(120) {
            0 => pool.trim(),
            1 => pool.trim_to(self.random.below(16 << 20)),
            2 => pool.maintain(),
            _ => return,
        };
        self.totals.trims.add(1);
    }

    fn check(&self, message: &Message) {
        self.totals.checked.add(1);
        if !message.is_intact() {
            self.totals.differing.add(1);
        }
    }
}
