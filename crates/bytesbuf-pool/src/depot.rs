//! The lock-free store of magazines that the threads of a pool exchange.
//!
//! Two bounded queues a class: magazines with blocks (not always full: a thread
//! that exits leaves what it has) and empty ones. Nothing here takes a lock or calls
//! the allocator. (The queue has no locks, but a thread that is stopped between
//! claiming a place and filling it makes the next one at that place yield.)

use crate::magazine::Magazine;
use crate::size_class::{CLASSES, DEPOT_EMPTIES, SizeClass};
use crate::sync::ArrayQueue;

pub(crate) struct Depot {
    filled: [ArrayQueue<Magazine>; CLASSES],
    empty: [ArrayQueue<Magazine>; CLASSES],
}

impl Depot {
    pub(crate) fn new() -> Self {
        Self {
            filled: SizeClass::ALL.map(|class| ArrayQueue::new(class.depot_magazines())),
            empty: SizeClass::ALL.map(|_| ArrayQueue::new(DEPOT_EMPTIES)),
        }
    }

    /// A magazine with at least one block.
    pub(crate) fn take_filled(&self, class: SizeClass) -> Option<Magazine> {
        self.filled[class.index()].pop()
    }

    /// Stores a magazine with at least one block, or gives it back if there is no
    /// room.
    pub(crate) fn give_filled(&self, class: SizeClass, filled: Magazine) -> Result<(), Magazine> {
        debug_assert!(!filled.is_empty(), "only magazines with blocks");
        self.filled[class.index()].push(filled)
    }

    pub(crate) fn take_empty(&self, class: SizeClass) -> Option<Magazine> {
        self.empty[class.index()].pop()
    }

    /// Stores an empty magazine, or gives it back if there is no room or if it is
    /// none.
    pub(crate) fn give_empty(&self, class: SizeClass, empty: Magazine) -> Result<(), Magazine> {
        debug_assert!(empty.is_empty(), "only magazines without blocks");
        if empty.is_none() {
            return Err(empty);
        }
        self.empty[class.index()].push(empty)
    }
}
