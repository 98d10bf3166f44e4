//! A doubly linked list through its members: joining and leaving allocate nothing
//! and take constant time.
//!
//! # Invariants
//! * **I1** What is on a list is alive: it is taken off before it is freed.
//! * **I2** The links of a list's members are accessed by who has the list itself:
//!   exclusively to change them, shared to follow them.
#![expect(unsafe_code, reason = "an intrusive list of raw pointers")]

use std::cell::Cell;
use std::iter;
use std::ptr::NonNull;

/// A member's place in its list.
pub(crate) struct Links<T> {
    before: Cell<Option<NonNull<T>>>,
    after: Cell<Option<NonNull<T>>>,
}

/// What can be on a list.
pub(crate) trait Linked: Sized {
    fn links(&self) -> &Links<Self>;
}

pub(crate) struct List<T> {
    first: Option<NonNull<T>>,
}

impl<T> Links<T> {
    pub(crate) const fn new() -> Self {
        Self {
            before: Cell::new(None),
            after: Cell::new(None),
        }
    }
}

impl<T: Linked> List<T> {
    pub(crate) const fn new() -> Self {
        Self { first: None }
    }

    pub(crate) const fn first(&self) -> Option<NonNull<T>> {
        self.first
    }

    /// Adds a member in front.
    ///
    /// # Safety
    /// `member` is on no list, and stays alive while it is on this one (I1).
    pub(crate) unsafe fn push(&mut self, member: NonNull<T>) {
        // SAFETY: alive, as the caller promises.
        let links = unsafe { member.as_ref() }.links();
        links.before.set(None);
        links.after.set(self.first);
        if let Some(first) = self.first {
            // SAFETY: I1: on the list.
            unsafe { first.as_ref() }.links().before.set(Some(member));
        }
        self.first = Some(member);
    }

    /// Takes a member off.
    ///
    /// # Safety
    /// `member` is on this list.
    pub(crate) unsafe fn remove(&mut self, member: NonNull<T>) {
        // SAFETY: I1: on the list.
        let links = unsafe { member.as_ref() }.links();
        let (before, after) = (links.before.get(), links.after.get());
        match before {
            // SAFETY: I1: a neighbour on the list.
            Some(before) => unsafe { before.as_ref() }.links().after.set(after),
            None => self.first = after,
        }
        if let Some(after) = after {
            // SAFETY: I1: a neighbour on the list.
            unsafe { after.as_ref() }.links().before.set(before);
        }
    }

    /// The first member that meets a condition.
    pub(crate) fn find(&self, condition: impl Fn(&T) -> bool) -> Option<NonNull<T>> {
        let mut next = self.first;
        while let Some(member) = next {
            // SAFETY: I1: on the list, and nobody takes it off while the list is
            // borrowed (I2).
            let this = unsafe { member.as_ref() };
            if condition(this) {
                return Some(member);
            }
            next = this.links().after.get();
        }
        None
    }

    /// The members, the one added last first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let mut next = self.first;
        iter::from_fn(move || {
            // SAFETY: I1: on the list, and nobody takes it off while the list is
            // borrowed (I2).
            let member = unsafe { next?.as_ref() };
            next = member.links().after.get();
            Some(member)
        })
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    struct Item {
        name: u8,
        links: Links<Self>,
    }

    impl Linked for Item {
        fn links(&self) -> &Links<Self> {
            &self.links
        }
    }

    fn names(list: &List<Item>) -> Vec<u8> {
        list.iter().map(|item| item.name).collect()
    }

    #[test]
    fn members_leave_from_any_place_and_may_come_back() {
        let items: Vec<_> = (0..4)
            .map(|name| Item {
                name,
                links: Links::new(),
            })
            .collect();
        let at = |index: usize| NonNull::from(&items[index]);
        let mut list = List::new();
        for index in 0..4 {
            // SAFETY: `items` outlive the list; on no list yet.
            unsafe { list.push(at(index)) };
        }
        assert_eq!(names(&list), [3, 2, 1, 0]);
        for (index, left) in [(1, vec![3, 2, 0]), (3, vec![2, 0]), (0, vec![2])] {
            // SAFETY: on the list.
            unsafe { list.remove(at(index)) };
            assert_eq!(names(&list), left);
        }
        // SAFETY: was taken off above.
        unsafe { list.push(at(1)) };
        assert_eq!(names(&list), [1, 2]);
        assert_eq!(list.find(|item| item.name == 2), Some(at(2)));
        assert_eq!(list.find(|item| item.name == 3), None);
    }
}
