//! Figures of a budget.

use std::fmt;

use super::Budget;
use super::level::Level;

/// What a budget holds: see [`Budget::stats`].
///
/// A copy of the figures at one moment. Printed (`Display`), it is a line for the
/// budget, and one for each level above it.
///
/// # Examples
/// ```
/// use bytesbuf_pool::Budget;
///
/// let process = Budget::builder(1000).name("process").build()?;
/// let connection = Budget::builder(100).name("connection").parent(&process).build()?;
/// let charge = connection.try_charge(60).unwrap();
/// assert!(connection.try_charge(60).is_err());
/// assert_eq!(
///     connection.stats().to_string(),
///     "connection: 60 of 100 bytes in use, peak 60; 0 waiting, 0 waits, 1 refusals\n\
///      process: 60 of 1000 bytes in use, peak 60; 0 waiting, 0 waits, 0 refusals",
/// );
/// # Ok::<(), bytesbuf_pool::InvalidBudget>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetStats {
    /// The budget's name, if it has one.
    pub name: Option<Box<str>>,
    /// Bytes that may be charged.
    pub limit: usize,
    /// Bytes that are charged, here or to a level below. What a request has got
    /// that waits above counts.
    pub in_use: usize,
    /// The most bytes in use so far. What a request had got that was then refused
    /// above counts.
    pub peak: usize,
    /// Requests that wait for room at this level.
    pub waiting: usize,
    /// Requests that had to wait at this level so far. Wraps around.
    pub waits: usize,
    /// Requests that this level refused so far, at once or when their time was up.
    /// Wraps around.
    pub refusals: usize,
    /// The levels above, nearest first. Theirs are empty.
    pub ancestors: Vec<BudgetStats>,
}

impl BudgetStats {
    pub(super) fn of(budget: &Budget) -> Self {
        let mut levels = budget.levels().map(Self::of_level);
        let own = levels.next().unwrap_or_default();
        Self {
            ancestors: levels.collect(),
            ..own
        }
    }

    fn of_level(level: &Level) -> Self {
        Self {
            name: level.name.clone(),
            limit: level.limit,
            in_use: level.now().0,
            peak: level.peak(),
            waiting: level.waiting(),
            waits: level.waits(),
            refusals: level.refusals(),
            ancestors: Vec::new(),
        }
    }
}

impl fmt::Display for BudgetStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} of {} bytes in use, peak {}; {} waiting, {} waits, {} refusals",
            self.name.as_deref().unwrap_or("budget"),
            self.in_use,
            self.limit,
            self.peak,
            self.waiting,
            self.waits,
            self.refusals,
        )?;
        for level in &self.ancestors {
            write!(f, "\n{level}")?;
        }
        Ok(())
    }
}
