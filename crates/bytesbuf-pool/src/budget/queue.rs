//! Who waits at a level, first come first served.
//!
//! A doubly linked list in a vector: joining, leaving from anywhere and granting
//! the first are O(1). The queue is used under its level's lock, where no foreign
//! code may run: neither wakers nor the allocator, which may be the user's and
//! come back into the budget. So it never allocates or frees. It is
//! [given](Queue::adopt) a larger vector, and hands out what is to be dropped.

use std::collections::TryReserveError;
use std::mem;
use std::task::Waker;

use crate::sync::MODEL;

/// An empty queue keeps a vector of at most this many entries.
const KEPT: usize = if MODEL || cfg!(miri) { 2 } else { 32 };

pub(super) struct Queue {
    entries: Entries,
    /// Entries that belong to a request: it waits, or has not yet seen its grant.
    used: usize,
    /// Entries that wait.
    waiting: usize,
    first: Option<usize>,
    last: Option<usize>,
    /// Free entries, linked by `next`.
    free: Option<usize>,
}

/// Memory of a queue, allocated and freed outside of the lock.
#[derive(Default)]
pub(super) struct Entries(Vec<Entry>);

struct Entry {
    state: State,
    need: usize,
    prev: Option<usize>,
    next: Option<usize>,
}

enum State {
    Free,
    Waiting(Waker),
    Granted,
}

/// An entry. Belongs to one request, which removes it: until then it is not given
/// to another (Q5).
#[derive(Debug)]
pub(super) struct Place(usize);

/// What is left of a removed entry: to be dropped without the lock.
pub(super) struct Leftovers {
    /// Whether the request had been granted.
    pub(super) granted: bool,
    _waker: Option<Waker>,
    _entries: Entries,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            entries: Entries(Vec::new()),
            used: 0,
            waiting: 0,
            first: None,
            last: None,
            free: None,
        }
    }

    /// Requests that wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether a request can join without an allocation.
    pub(super) fn has_place(&self) -> bool {
        self.free.is_some() || self.entries.0.len() < self.entries.0.capacity()
    }

    /// How many entries a larger vector should have.
    pub(super) fn larger(&self) -> usize {
        self.entries.0.len().saturating_mul(2).max(4)
    }

    /// Moves into a larger vector and leaves the old one in its place; does
    /// nothing with one that is not larger.
    pub(super) fn adopt(&mut self, larger: &mut Entries) {
        if larger.0.capacity() > self.entries.0.capacity() {
            larger.0.append(&mut self.entries.0);
            mem::swap(&mut larger.0, &mut self.entries.0);
        }
    }

    /// Joins at the end. There must be a place.
    pub(super) fn join(&mut self, need: usize, waker: Waker) -> Place {
        debug_assert!(self.has_place(), "Q6: nothing is allocated under the lock");
        let entry = Entry {
            state: State::Waiting(waker),
            need,
            prev: self.last,
            next: None,
        };
        let at = match self.free {
            Some(at) => {
                self.free = self.entries.0[at].next;
                self.entries.0[at] = entry;
                at
            }
            None => {
                self.entries.0.push(entry);
                self.entries.0.len() - 1
            }
        };
        match self.last {
            Some(last) => self.entries.0[last].next = Some(at),
            None => self.first = Some(at),
        }
        self.last = Some(at);
        self.used += 1;
        self.waiting += 1;
        Place(at)
    }

    /// Bytes that the first in the queue waits for.
    pub(super) fn first_need(&self) -> Option<usize> {
        self.first.map(|at| self.entries.0[at].need)
    }

    /// Grants the first: it no longer waits, but keeps its place until it has seen
    /// that. Who is to be woken, outside of the lock.
    pub(super) fn grant_first(&mut self) -> Option<Waker> {
        let at = self.first?;
        self.unlink(at);
        match mem::replace(&mut self.entries.0[at].state, State::Granted) {
            State::Waiting(waker) => Some(waker),
            State::Free | State::Granted => unreachable!("who is in the list waits"),
        }
    }

    /// The waker of a request that waits, or `None` if it has been granted.
    pub(super) fn waker(&mut self, place: &Place) -> Option<&mut Waker> {
        match &mut self.entries.0[place.0].state {
            State::Waiting(waker) => Some(waker),
            State::Granted => None,
            State::Free => unreachable!("a place is its request's until removed"),
        }
    }

    /// Gives up a place, granted or not.
    pub(super) fn remove(&mut self, place: Place) -> Leftovers {
        let at = place.0;
        let state = mem::replace(&mut self.entries.0[at].state, State::Free);
        let waker = match state {
            State::Waiting(waker) => {
                self.unlink(at);
                Some(waker)
            }
            State::Granted => None,
            State::Free => unreachable!("a place is its request's until removed"),
        };
        self.entries.0[at].next = self.free;
        self.free = Some(at);
        self.used -= 1;
        Leftovers {
            granted: waker.is_none(),
            _waker: waker,
            _entries: self.shrink(),
        }
    }

    /// Takes an entry out of the list.
    fn unlink(&mut self, at: usize) {
        let Entry { prev, next, .. } = self.entries.0[at];
        match prev {
            Some(prev) => self.entries.0[prev].next = next,
            None => self.first = next,
        }
        match next {
            Some(next) => self.entries.0[next].prev = prev,
            None => self.last = prev,
        }
        self.waiting -= 1;
    }

    /// The memory of a queue that nobody uses, if it is large.
    fn shrink(&mut self) -> Entries {
        if self.used > 0 || self.entries.0.capacity() <= KEPT {
            return Entries::default();
        }
        self.free = None;
        mem::take(&mut self.entries)
    }
}

impl Entries {
    /// Memory for so many entries.
    pub(super) fn allocate(count: usize) -> Result<Self, TryReserveError> {
        let mut entries = Vec::new();
        entries.try_reserve_exact(count)?;
        Ok(Self(entries))
    }

    /// Bytes that so many entries take.
    pub(super) const fn bytes(count: usize) -> usize {
        count.saturating_mul(size_of::<Entry>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(queue: &mut Queue, need: usize) -> Place {
        if !queue.has_place() {
            let mut larger = Entries::allocate(queue.larger()).unwrap();
            queue.adopt(&mut larger);
            assert!(larger.0.is_empty(), "everything has moved");
        }
        queue.join(need, Waker::noop().clone())
    }

    fn needs(queue: &Queue) -> Vec<usize> {
        let mut at = queue.first;
        let mut needs = Vec::new();
        while let Some(entry) = at.map(|at| &queue.entries.0[at]) {
            needs.push(entry.need);
            at = entry.next;
        }
        assert_eq!(needs.len(), queue.waiting());
        needs
    }

    /// Joins `count`, lets `who` of them leave, and looks at the order of the rest.
    #[track_caller]
    fn check(count: usize, who: &[usize], rest: &[usize]) {
        let mut queue = Queue::new();
        let mut places: Vec<_> = (0..count).map(|n| Some(join(&mut queue, n))).collect();
        for &n in who {
            let left = queue.remove(places[n].take().unwrap());
            assert!(!left.granted);
        }
        assert_eq!(needs(&queue), rest);
        assert_eq!(queue.first_need(), rest.first().copied());
        for place in places.into_iter().flatten() {
            drop(queue.remove(place));
        }
        assert_eq!(needs(&queue), []);
        assert!(queue.entries.0.capacity() <= KEPT);
        let place = join(&mut queue, 7);
        assert_eq!(needs(&queue), [7]);
        drop(queue.remove(place));
    }

    #[test]
    fn memory_of_entries_is_counted_in_bytes() {
        assert_eq!(Entries::bytes(3), 3 * size_of::<Entry>());
        assert_eq!(Entries::bytes(usize::MAX), usize::MAX);
    }

    #[test]
    fn leaving_keeps_the_order_of_the_others() {
        check(1, &[], &[0]);
        check(1, &[0], &[]);
        check(3, &[0], &[1, 2]);
        check(3, &[1], &[0, 2]);
        check(3, &[2], &[0, 1]);
        check(3, &[1, 0], &[2]);
        check(3, &[2, 1, 0], &[]);
        check(9, &[0, 8, 4, 3], &[1, 2, 5, 6, 7]);
    }

    #[test]
    fn memory_beyond_a_few_entries_goes_when_the_queue_is_empty() {
        let mut queue = Queue::new();
        let places: Vec<_> = (0..KEPT + 1).map(|n| join(&mut queue, n)).collect();
        assert!(queue.entries.0.capacity() > KEPT);
        for place in places {
            drop(queue.remove(place));
        }
        assert_eq!(queue.entries.0.capacity(), 0);
    }

    #[test]
    fn a_place_is_not_reused_before_its_grant_is_seen() {
        let mut queue = Queue::new();
        let first = join(&mut queue, 1);
        assert!(queue.grant_first().is_some());
        let second = join(&mut queue, 2);
        assert_ne!(first.0, second.0);
        assert!(queue.waker(&first).is_none(), "granted");
        assert!(queue.waker(&second).is_some(), "waits");
        assert!(queue.remove(first).granted);
        assert!(!queue.remove(second).granted);
    }

    #[test]
    fn a_smaller_vector_is_not_adopted() {
        let mut queue = Queue::new();
        let place = join(&mut queue, 1);
        let mut smaller = Entries::allocate(1).unwrap();
        queue.adopt(&mut smaller);
        assert_eq!(needs(&queue), [1]);
        drop(queue.remove(place));
    }

    #[test]
    fn a_place_is_one_that_takes_no_allocation() {
        let mut queue = Queue::new();
        assert!(!queue.has_place(), "it has no memory");
        let mut entries = Entries::allocate(2).unwrap();
        let capacity = entries.0.capacity();
        queue.adopt(&mut entries);
        let mut places = Vec::new();
        for _ in 0..capacity {
            assert!(queue.has_place());
            places.push(queue.join(1, Waker::noop().clone()));
        }
        assert!(!queue.has_place(), "all are taken");
        drop(queue.remove(places.remove(0)));
        assert!(queue.has_place(), "one is free");
        for place in places {
            drop(queue.remove(place));
        }
    }
}
