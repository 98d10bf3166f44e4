//! Bytes that are charged.

use std::fmt;

use super::Budget;

/// Bytes charged to a [`Budget`] and all its ancestors, until this is dropped, on
/// whatever thread.
///
/// Two words. Dropping costs one atomic read-modify-write a level and one for the
/// handle of the budget; it never blocks for room, fails or panics. Only while
/// somebody waits for room does it take a lock, and wakes whoever now has enough.
///
/// # Examples
/// ```
/// use bytesbuf_pool::Budget;
///
/// let budget = Budget::new(1000);
/// let mut charge = budget.try_charge(1000)?;
/// let half = charge.split(500).expect("there are 1000");
/// drop(charge);
/// assert_eq!((half.bytes(), budget.in_use()), (500, 500));
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[must_use = "dropping a charge credits it"]
pub struct Charge {
    budget: Budget,
    bytes: usize,
}

impl Charge {
    /// The bytes are charged at every level already.
    #[inline]
    pub(super) const fn new(budget: Budget, bytes: usize) -> Self {
        Self { budget, bytes }
    }

    /// Bytes charged.
    #[must_use]
    #[inline]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What they are charged to: the lowest level.
    #[must_use]
    #[inline]
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Takes some of the bytes into a charge of their own, for something with a
    /// lifetime of its own: one charge for many blocks, then one each. `None` if
    /// there are not so many; then nothing has changed.
    ///
    /// Costs a clone of the budget's handle, whatever the number of levels.
    #[must_use = "dropping a charge credits it"]
    #[inline]
    pub fn split(&mut self, bytes: usize) -> Option<Self> {
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(Self::new(self.budget.clone(), bytes))
    }

    /// Takes over what another charge of the same budget has charged.
    ///
    /// # Panics
    /// If it is a charge of another budget; `self` is as it was, the other is credited.
    #[inline]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            self.budget.is_same(&other.budget),
            "charges of two budgets: {self:?} and {other:?}"
        );
        // Both are charged together to one level: the sum is within its limit.
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Charge {
    #[inline]
    fn drop(&mut self) {
        if self.bytes > 0 {
            Budget::credit(self.budget.levels(), self.bytes);
        }
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Charge")
            .field("bytes", &self.bytes)
            .field("budget", &self.budget)
            .finish()
    }
}

// Stored in the header of each block.
#[cfg(not(bytesbuf_loom))]
const _: () = {
    assert!(size_of::<Charge>() == 2 * size_of::<usize>());
    assert!(size_of::<Option<Charge>>() == 2 * size_of::<usize>());
};
