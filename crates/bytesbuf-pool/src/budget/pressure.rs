//! How close to its limit a budget is.

/// How close to its limit a budget is: see [`Budget::pressure`](crate::Budget::pressure).
///
/// # Examples
/// ```
/// use bytesbuf_pool::{Budget, Pressure};
///
/// let budget = Budget::new(100);
/// let charge = budget.try_charge(80)?;
/// assert_eq!(budget.pressure(), Pressure::Soft);
/// if budget.pressure() >= Pressure::Soft {
///     // accept no new connection for the moment
/// }
/// # drop(charge);
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pressure {
    /// Below both marks.
    Low,
    /// The soft mark is reached: take on no new work.
    Soft,
    /// The hard mark is reached, or somebody waits: finish what there is.
    Hard,
}

/// From how many bytes on pressure is soft, and hard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    pub(super) soft: usize,
    pub(super) hard: usize,
}

impl Marks {
    /// 75 % and 90 % of a limit, rounded up; a mark that is given pushes the other
    /// one out of its way.
    pub(super) fn new(limit: usize, soft: Option<usize>, hard: Option<usize>) -> Self {
        let (default_soft, default_hard) = (share(limit, 75), share(limit, 90));
        match (soft, hard) {
            (Some(soft), Some(hard)) => Self { soft, hard },
            (Some(soft), None) => Self {
                soft,
                hard: default_hard.max(soft),
            },
            (None, Some(hard)) => Self {
                soft: default_soft.min(hard),
                hard,
            },
            (None, None) => Self {
                soft: default_soft,
                hard: default_hard,
            },
        }
    }

    pub(super) const fn pressure(self, in_use: usize) -> Pressure {
        if in_use >= self.hard {
            Pressure::Hard
        } else if in_use >= self.soft {
            Pressure::Soft
        } else {
            Pressure::Low
        }
    }
}

/// So many percent, rounded up, without overflow.
const fn share(of: usize, percent: usize) -> usize {
    of / 100 * percent + (of % 100 * percent).div_ceil(100)
}
