//! Budgets with more than a limit.

use super::Budget;
use super::level::{Level, MAX_LIMIT};
use super::pressure::Marks;
use crate::sync::Arc;

/// Settings of a new [`Budget`]: see [`Budget::builder`].
///
/// # Examples
/// ```
/// use bytesbuf_pool::Budget;
///
/// let process = Budget::builder(1 << 30).name("process").build()?;
/// let listener = Budget::builder(64 << 20)
///     .name("listener :443")
///     .parent(&process)
///     .soft(32 << 20)
///     .hard(48 << 20)
///     .build()?;
/// assert_eq!(listener.parent().and_then(Budget::name), Some("process"));
/// # Ok::<(), bytesbuf_pool::InvalidBudget>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BudgetBuilder {
    limit: usize,
    soft: Option<usize>,
    hard: Option<usize>,
    name: Option<Box<str>>,
    parent: Option<Budget>,
}

/// Settings that contradict each other.
///
/// # Examples
/// ```
/// use bytesbuf_pool::{Budget, InvalidBudget};
///
/// let error = Budget::builder(1000).soft(900).hard(800).build().unwrap_err();
/// assert_eq!(error, InvalidBudget::SoftAboveHard { soft: 900, hard: 800 });
/// assert_eq!(error.to_string(), "the soft mark, 900 bytes, is above the hard one, 800 bytes");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBudget {
    /// Pressure would become hard before it is soft.
    #[error("the soft mark, {soft} bytes, is above the hard one, {hard} bytes")]
    SoftAboveHard {
        /// The soft mark in bytes.
        soft: usize,
        /// The hard mark in bytes.
        hard: usize,
    },
    /// The soft mark could never be reached.
    #[error("the soft mark, {soft} bytes, is above the limit, {limit} bytes")]
    SoftAboveLimit {
        /// The soft mark in bytes.
        soft: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The hard mark could never be reached.
    #[error("the hard mark, {hard} bytes, is above the limit, {limit} bytes")]
    HardAboveLimit {
        /// The hard mark in bytes.
        hard: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl BudgetBuilder {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            soft: None,
            hard: None,
            name: None,
            parent: None,
        }
    }

    /// A name for people: in `Debug` and statistics.
    pub fn name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The level above: what is charged to the new budget is charged to this one
    /// as well, and to all above it.
    pub fn parent(mut self, parent: &Budget) -> Self {
        self.parent = Some(parent.clone());
        self
    }

    /// From how many bytes in use on [`pressure`](Budget::pressure) is soft.
    /// By default 75 % of the limit, or the hard mark if that is less.
    pub const fn soft(mut self, bytes: usize) -> Self {
        self.soft = Some(bytes);
        self
    }

    /// From how many bytes in use on [`pressure`](Budget::pressure) is hard.
    /// By default 90 % of the limit, or the soft mark if that is more.
    pub const fn hard(mut self, bytes: usize) -> Self {
        self.hard = Some(bytes);
        self
    }

    /// Makes the budget. Allocates it, as `Box::new` does.
    ///
    /// # Errors
    /// [`InvalidBudget`] if a mark is above the limit, or the soft mark above the
    /// hard one.
    pub fn build(self) -> Result<Budget, InvalidBudget> {
        let limit = self.limit.min(MAX_LIMIT);
        let soft = self.soft.map(|soft| soft.min(MAX_LIMIT));
        let hard = self.hard.map(|hard| hard.min(MAX_LIMIT));
        if let Some(soft) = soft.filter(|&soft| soft > limit) {
            return Err(InvalidBudget::SoftAboveLimit { soft, limit });
        }
        if let Some(hard) = hard.filter(|&hard| hard > limit) {
            return Err(InvalidBudget::HardAboveLimit { hard, limit });
        }
        let marks = Marks::new(limit, soft, hard);
        if marks.soft > marks.hard {
            return Err(InvalidBudget::SoftAboveHard {
                soft: marks.soft,
                hard: marks.hard,
            });
        }
        let level = Level::new(limit, marks, self.name, self.parent);
        Ok(Budget(Arc::new(level)))
    }
}
