//! What a buffer has besides its current block: frozen spans and later blocks. Behind
//! one pointer, since most buffers have none of it for most of their life: a buffer is 64
//! bytes, as long as a cache line, instead of 112.
//!
//! A thread keeps the memory of the one that it dropped last for its next one: whoever
//! builds messages around payloads, one after the other, does so without the allocator.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::collections::vec_deque;

use bytesbuf_core::ReserveError;

use crate::BytesView;
use crate::open_block::OpenBlock;
use crate::try_box::try_box;

/// Spans in front of the current block, and blocks behind it.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) frozen: BytesView,
    pub(super) later: VecDeque<OpenBlock>,
    pub(super) later_len: usize,
}

/// Most places for later blocks that a spare keeps: 1.25 KiB on a 64-bit machine.
const SPARE_PLACES: usize = 32;

impl Parts {
    /// Whether there is nothing to drop, and no more memory than a spare keeps.
    #[inline]
    fn are_spare(&self) -> bool {
        self.frozen.is_empty() && self.later.is_empty() && self.later.capacity() <= SPARE_PLACES
    }

    /// Drops what they are, and keeps some of the memory. If the destructor of a user's
    /// owner panics, they are dropped with it.
    #[cold]
    #[inline(never)]
    fn clear(&mut self) {
        self.frozen = BytesView::new();
        self.later.clear();
        self.later_len = 0;
        if self.later.capacity() > SPARE_PLACES {
            self.later = VecDeque::new();
        }
    }
}

/// The parts, if there have been any.
#[derive(Default)]
pub(super) struct Elsewhere(Option<Box<Parts>>);

impl Elsewhere {
    pub(super) const NONE: Self = Self(None);

    #[inline]
    pub(super) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    #[inline]
    pub(super) fn get(&self) -> Option<&Parts> {
        self.0.as_deref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self) -> Option<&mut Parts> {
        self.0.as_deref_mut()
    }

    /// The parts, which are made if there are none. One allocation then, or none.
    #[inline]
    pub(super) fn make(&mut self) -> &mut Parts {
        self.0
            .get_or_insert_with(|| spare::take().unwrap_or_default())
    }

    /// As `make`, but an error if the allocator refuses.
    pub(super) fn try_make(&mut self) -> Result<&mut Parts, ReserveError> {
        let parts = match self.0.take().or_else(spare::take) {
            Some(parts) => parts,
            None => try_box(Parts::default())?,
        };
        Ok(self.0.insert(parts))
    }

    /// The later blocks, front to back.
    pub(super) fn later(&self) -> Option<vec_deque::Iter<'_, OpenBlock>> {
        self.get().map(|parts| parts.later.iter())
    }
}

impl Drop for Elsewhere {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut parts) = self.0.take() {
            if !parts.are_spare() {
                parts.clear();
            }
            spare::keep(parts);
        }
    }
}

/// Memory of parts that are gone. What it holds is empty.
#[cfg(all(feature = "std", not(bytesbuf_loom)))]
mod spare {
    use std::cell::Cell;

    use super::{Box, Parts};

    std::thread_local! {
        static SPARE: Cell<Option<Box<Parts>>> = const { Cell::new(None) };
    }

    #[inline]
    pub(super) fn take() -> Option<Box<Parts>> {
        // An error: the thread is ending, and its spare is gone.
        SPARE.try_with(Cell::take).ok().flatten()
    }

    /// Frees the one before, if it has not been taken.
    #[inline]
    pub(super) fn keep(parts: Box<Parts>) {
        let _ = SPARE.try_with(|spare| spare.set(Some(parts)));
    }
}

/// Without threads to keep it for (or, in the models, with threads that are not the
/// system's).
#[cfg(not(all(feature = "std", not(bytesbuf_loom))))]
mod spare {
    use super::{Box, Parts};

    pub(super) fn take() -> Option<Box<Parts>> {
        None
    }

    pub(super) fn keep(parts: Box<Parts>) {
        drop(parts);
    }
}

const _: () = assert!(size_of::<Elsewhere>() == size_of::<usize>());
