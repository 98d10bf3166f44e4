//! One level of a budget: a counting semaphore with a queue.
//!
//! All that decides is one word: the bytes in use, and a bit that says that
//! somebody waits. Nobody can see room without seeing the bit, and nobody can make
//! room without learning of it in the same operation. That is why no wake-up is
//! lost. The page `docs/design/budget.md` has the table of transitions.
//!
//! # Invariants
//! * **Q1** Bytes in use never exceed the limit. They are the sum of the charges,
//!   of what unfinished requests have got at this level, and of grants not yet seen.
//! * **Q2** The bit `WAITING` is changed under the lock only. Whenever the lock is
//!   free, it is set if and only if the queue is not empty.
//! * **Q3** While `WAITING` is set, only who holds the lock adds bytes; anybody
//!   subtracts.
//! * **Q4** While `WAITING` is set, either the first in the queue needs more than
//!   the room, or somebody is on the way to [`settle`](Level::settle).
//! * **Q5** A place in the queue belongs to one request until that removes it.
//! * **Q6** No foreign code runs under the lock: no waker is cloned, woken or
//!   dropped, nothing is allocated or freed.

use std::mem;
use std::task::{Poll, Waker};

use bytesbuf_core::ReserveError;

use super::Budget;
use super::figures::{Figure, HighWater};
use super::pressure::{Marks, Pressure};
use super::queue::{Entries, Place, Queue};
use super::wake::Batch;
use crate::events;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering, lock, quietly};

/// Set in the word while somebody waits.
const WAITING: usize = 1 << (usize::BITS - 1);

/// The largest limit: what fits beside the bit.
pub(super) const MAX_LIMIT: usize = WAITING - 1;

pub(super) struct Level {
    /// Bytes in use, and `WAITING`.
    word: AtomicUsize,
    /// At most `MAX_LIMIT`.
    pub(super) limit: usize,
    pub(super) parent: Option<Budget>,
    peak: HighWater,
    pub(super) marks: Marks,
    pub(super) name: Option<Box<str>>,
    waits: Figure,
    refusals: Figure,
    queue: Mutex<Queue>,
}

/// A level that lacks room, and what its word said.
#[derive(Clone, Copy)]
pub(super) struct Refusal<'a> {
    level: &'a Level,
    word: usize,
}

/// How a request that lacked room entered a level.
pub(super) enum Entry {
    /// There was room after all.
    Charged,
    Waits(Place),
}

/// What a request sees that looks after its place.
enum Seen {
    /// Its bytes are charged, its place is gone.
    Granted,
    /// It waits, and its waker is known.
    Waits,
    /// It waits, and another waker is known.
    OtherWaker,
}

impl Level {
    pub(super) fn new(
        limit: usize,
        marks: Marks,
        name: Option<Box<str>>,
        parent: Option<Budget>,
    ) -> Self {
        debug_assert!(limit <= MAX_LIMIT, "Q1: bytes fit beside the bit");
        Self {
            word: AtomicUsize::new(0),
            limit,
            parent,
            peak: HighWater::new(),
            marks,
            name,
            waits: Figure::new(),
            refusals: Figure::new(),
            queue: Mutex::new(Queue::new()),
        }
    }

    /// Whether the bytes would fit at the moment.
    #[inline]
    pub(super) fn check(&self, bytes: usize) -> Result<(), Refusal<'_>> {
        // Relaxed: partner of nothing. `try_charge` looks again; a refusal is of the moment,
        // and no older than a credit that happens before it.
        let word = self.word.load(Ordering::Relaxed);
        if self.fits(word, bytes) {
            Ok(())
        } else {
            Err(Refusal { level: self, word })
        }
    }

    /// Charges the bytes if there is room and nobody waits.
    #[inline]
    pub(super) fn try_charge(&self, bytes: usize) -> Result<(), Refusal<'_>> {
        // Relaxed: partner of nothing. What is granted is checked by the exchange; a refusal
        // is of the moment, and no older than a credit that happens before it.
        let mut word = self.word.load(Ordering::Relaxed);
        while self.fits(word, bytes) {
            match self.word.compare_exchange_weak(
                word,
                word + bytes,
                // Acquire: partner of the Release in `credit`: what was done with bytes
                // before they came back happens before what is done with them now.
                Ordering::Acquire,
                // Relaxed: partner of nothing; another attempt, or a refusal that means
                // nothing else.
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    self.peak.reached(word + bytes);
                    return Ok(());
                }
                Err(now) => word = now,
            }
        }
        Err(Refusal { level: self, word })
    }

    /// Gives bytes back. Whether the caller must [`settle`](Self::settle): it has
    /// made room while somebody waits (Q4).
    #[inline]
    pub(super) fn credit(&self, bytes: usize) -> bool {
        // Release: partner of the Acquire in `try_charge`, `charge_or_announce` and
        // `grant`.
        let word = self.word.fetch_sub(bytes, Ordering::Release);
        debug_assert!(used(word) >= bytes, "Q1: only what was charged");
        word & WAITING != 0
    }

    /// Hands the room to who waits, first come first served, and wakes them.
    #[cold]
    pub(super) fn settle(&self) {
        loop {
            let mut batch = Batch::new();
            let more = self.grant(&mut lock(&self.queue), &mut batch);
            batch.wake();
            if !more {
                return;
            }
        }
    }

    /// Charges the bytes if there is room and nobody waits; otherwise takes a place
    /// at the end of the queue.
    ///
    /// The bytes must not exceed the limit, or the queue would never move again.
    pub(super) fn enter(&self, bytes: usize, waker: &Waker) -> Result<Entry, ReserveError> {
        debug_assert!(bytes <= self.limit, "too large requests are never queued");
        // Before the lock, and for the whole time of it: Q6.
        let waker = waker.clone();
        let mut larger = Entries::default();
        let mut queue = lock(&self.queue);
        while !queue.has_place() {
            queue.adopt(&mut larger);
            if queue.has_place() {
                break;
            }
            let count = queue.larger();
            drop(queue);
            larger = Entries::allocate(count).map_err(|_| ReserveError::OutOfMemory {
                requested: Entries::bytes(count),
            })?;
            queue = lock(&self.queue);
        }
        if self.charge_or_announce(bytes) {
            drop(queue);
            // The bytes are ours: a panic here would lose them.
            quietly(|| drop(waker));
            return Ok(Entry::Charged);
        }
        self.waits.count();
        Ok(Entry::Waits(queue.join(bytes, waker)))
    }

    /// Whether a request that waits has been granted its bytes; then its place is
    /// gone. Otherwise this waker is woken when it is.
    pub(super) fn poll(&self, place: &mut Option<Place>, waker: &Waker) -> Poll<()> {
        match self.look(place, waker, None) {
            Seen::Granted => Poll::Ready(()),
            Seen::Waits => Poll::Pending,
            // A clone is foreign code: made without the lock, and then looked again.
            Seen::OtherWaker => match self.look(place, waker, Some(waker.clone())) {
                Seen::Granted => Poll::Ready(()),
                Seen::Waits | Seen::OtherWaker => Poll::Pending,
            },
        }
    }

    /// Looks whether a request has been granted; if not, leaves a clone of its
    /// waker there, unless it has one already.
    fn look(&self, place: &mut Option<Place>, waker: &Waker, mut clone: Option<Waker>) -> Seen {
        let Some(at) = place.as_ref() else {
            unreachable!("only who waits looks");
        };
        let mut queue = lock(&self.queue);
        let (seen, leftovers) = match (queue.waker(at), &mut clone) {
            (None, _) => (Seen::Granted, place.take().map(|at| queue.remove(at))),
            (Some(known), _) if known.will_wake(waker) => (Seen::Waits, None),
            (Some(_), None) => (Seen::OtherWaker, None),
            (Some(known), Some(clone)) => {
                mem::swap(known, clone);
                (Seen::Waits, None)
            }
        };
        drop(queue);
        // The bytes may be ours now: a panic here would lose them.
        quietly(|| drop((leftovers, clone)));
        seen
    }

    /// Gives up a place. Whether its bytes had been granted: then they are the
    /// caller's to credit.
    pub(super) fn leave(&self, place: Place) -> bool {
        let mut batch = Batch::new();
        let mut queue = lock(&self.queue);
        let leftovers = queue.remove(place);
        // Whoever is next may need less than the one that left.
        let more = !leftovers.granted && self.grant(&mut queue, &mut batch);
        drop(queue);
        let granted = leftovers.granted;
        quietly(|| drop(leftovers));
        batch.wake();
        if more {
            self.settle();
        }
        granted
    }

    /// Grants the first in the queue their bytes as long as there is room. Whether
    /// it stopped early, because the batch is full. Under the lock.
    fn grant(&self, queue: &mut Queue, batch: &mut Batch) -> bool {
        loop {
            let Some(need) = queue.first_need() else {
                // Relaxed: partner of nothing; the release sequence goes on.
                self.word.fetch_and(!WAITING, Ordering::Relaxed);
                return false;
            };
            if batch.is_full() {
                return true;
            }
            // Relaxed: partner of nothing. An old value shows too little room (Q3), and
            // who has made the rest of it comes to settle.
            let word = self.word.load(Ordering::Relaxed);
            debug_assert!(word & WAITING != 0, "Q2: the queue is not empty");
            if need > self.limit - used(word) {
                return false;
            }
            // Acquire: partner of the Release in `credit`; the lock carries it on to
            // the request that is granted.
            let word = self.word.fetch_add(need, Ordering::Acquire);
            self.peak.reached(used(word) + need);
            batch.push(queue.grant_first());
        }
    }

    /// Charges the bytes if there is room and nobody waits; otherwise sees to it
    /// that the bit is set. Under the lock.
    fn charge_or_announce(&self, bytes: usize) -> bool {
        // Relaxed: partner of nothing. The bit changes under the lock; the exchange
        // checks the bytes.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & WAITING != 0 {
                return false;
            }
            let fits = self.fits(word, bytes);
            let next = if fits { word + bytes } else { word | WAITING };
            // Acquire: partner of the Release in `credit`, if this charges.
            // Relaxed on failure: partner of nothing; another attempt.
            match self
                .word
                .compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => {
                    self.peak.reached(used(next));
                    return fits;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Whether nobody waits and the bytes fit. With the bit, a word is larger than
    /// any limit.
    #[inline]
    fn fits(&self, word: usize, bytes: usize) -> bool {
        match self.limit.checked_sub(word) {
            Some(room) => bytes <= room,
            None => false,
        }
    }

    /// Bytes in use, and whether somebody waits.
    pub(super) fn now(&self) -> (usize, bool) {
        // Relaxed: partner of nothing; a figure for people. `settle` is no older than the
        // subtraction that it comes after: either the bit is there, or it was cleared, under
        // the lock, after that (Q4).
        let word = self.word.load(Ordering::Relaxed);
        (used(word), word & WAITING != 0)
    }

    /// Bytes that could be charged: none while somebody waits.
    pub(super) fn available(&self) -> usize {
        match self.now() {
            (_, true) => 0,
            (used, false) => self.limit - used,
        }
    }

    pub(super) fn pressure(&self) -> Pressure {
        match self.now() {
            (_, true) => Pressure::Hard,
            (used, false) => self.marks.pressure(used),
        }
    }

    /// The name, for people.
    pub(super) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("budget")
    }

    pub(super) fn peak(&self) -> usize {
        self.peak.get()
    }

    pub(super) fn waits(&self) -> usize {
        self.waits.get()
    }

    pub(super) fn refusals(&self) -> usize {
        self.refusals.get()
    }

    /// Requests that wait here. Takes the lock if there are any.
    pub(super) fn waiting(&self) -> usize {
        match self.now() {
            (_, true) => lock(&self.queue).waiting(),
            (_, false) => 0,
        }
    }

    /// The level as it is now, as a reason to refuse.
    pub(super) fn refusal(&self) -> Refusal<'_> {
        // Relaxed: partner of nothing; figures for people.
        let word = self.word.load(Ordering::Relaxed);
        Refusal { level: self, word }
    }
}

impl Refusal<'_> {
    /// The error for a request, which is counted. What is free while others wait
    /// is theirs: it counts as in use.
    #[cold]
    pub(super) fn into_error(self, requested: usize) -> ReserveError {
        let Self { level, word } = self;
        level.refusals.count();
        events::refused(level.label(), requested, word.min(level.limit), level.limit);
        ReserveError::OverBudget {
            requested,
            in_use: word.min(level.limit),
            limit: level.limit,
        }
    }
}

impl Drop for Level {
    /// Goes up in a loop: the chain may be longer than the stack is deep. (Where another
    /// thread drops its handle at the same moment, one level of the stack is used.)
    fn drop(&mut self) {
        debug_assert_eq!(self.now(), (0, false), "Q1: each charge keeps its budget");
        let mut parent = self.parent.take();
        while let Some(Budget(level)) = parent {
            parent = match Arc::try_unwrap(level) {
                Ok(mut level) => level.parent.take(),
                Err(_) => None,
            };
        }
    }
}

const fn used(word: usize) -> usize {
    word & !WAITING
}

#[cfg(all(test, not(any(bytesbuf_loom, bytesbuf_shuttle))))]
mod tests {
    use super::*;

    /// Elsewhere it takes another thread, at the right moment, for room to be there again
    /// when a request enters.
    #[test]
    fn who_enters_where_there_is_room_is_charged() {
        let level = Level::new(10, Marks::new(10, None, None), None, None);
        for (bytes, used) in [(3, 3), (0, 3), (7, 10)] {
            let entry = level.enter(bytes, Waker::noop());
            assert!(matches!(entry, Ok(Entry::Charged)));
            assert_eq!((level.now(), level.peak()), ((used, false), used));
        }
        assert!(!level.credit(3), "nobody waits");
        let entry = level.enter(3, Waker::noop());
        assert!(matches!(entry, Ok(Entry::Charged)));
        let Ok(Entry::Waits(place)) = level.enter(1, Waker::noop()) else {
            panic!("there is no room");
        };
        assert_eq!((level.now(), level.waits()), ((10, true), 1));
        assert!(level.credit(10));
        assert!(!level.leave(place), "nobody has settled");
        assert_eq!(level.now(), (0, false));
    }
}
