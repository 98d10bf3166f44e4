//! A few entries in place, or many in a ring.

use alloc::collections::VecDeque;

use arrayvec::ArrayVec;

use super::Entry;

/// Spans that a list holds without an allocation of its own.
pub(super) const FEW: usize = 4;

/// Entries in order. `Many` stays `Many` when spans go.
#[derive(Debug)]
pub(super) enum Entries {
    Few(ArrayVec<Entry, FEW>),
    Many(VecDeque<Entry>),
}

impl Entries {
    #[inline]
    pub(super) fn as_slices(&self) -> (&[Entry], &[Entry]) {
        match self {
            Self::Few(few) => (few, &[]),
            Self::Many(many) => many.as_slices(),
        }
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Entry> {
        match self {
            Self::Few(few) => few.first(),
            Self::Many(many) => many.front(),
        }
    }

    #[inline]
    pub(super) fn first_mut(&mut self) -> Option<&mut Entry> {
        match self {
            Self::Few(few) => few.first_mut(),
            Self::Many(many) => many.front_mut(),
        }
    }

    #[inline]
    pub(super) fn last(&self) -> Option<&Entry> {
        match self {
            Self::Few(few) => few.last(),
            Self::Many(many) => many.back(),
        }
    }

    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut Entry> {
        match self {
            Self::Few(few) => few.last_mut(),
            Self::Many(many) => many.back_mut(),
        }
    }

    pub(super) fn push_back(&mut self, entry: Entry) {
        match self {
            Self::Few(few) if !few.is_full() => few.push(entry),
            _ => self.ring().push_back(entry),
        }
    }

    pub(super) fn push_front(&mut self, entry: Entry) {
        match self {
            Self::Few(few) if !few.is_full() => few.insert(0, entry),
            _ => self.ring().push_front(entry),
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<Entry> {
        match self {
            Self::Few(few) => few.pop_at(0),
            Self::Many(many) => many.pop_front(),
        }
    }

    pub(super) fn pop_back(&mut self) -> Option<Entry> {
        match self {
            Self::Few(few) => few.pop(),
            Self::Many(many) => many.pop_back(),
        }
    }

    /// The ring, to which the entries are moved if there are only few so far.
    #[cold]
    fn ring(&mut self) -> &mut VecDeque<Entry> {
        if let Self::Few(few) = self {
            let mut many = VecDeque::with_capacity(4 * FEW);
            many.extend(few.drain(..));
            *self = Self::Many(many);
        }
        match self {
            Self::Many(many) => many,
            Self::Few(_) => unreachable!("moved to a ring above"),
        }
    }
}
