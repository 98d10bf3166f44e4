//! What a run found.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::peer::Peer;
use crate::targets::Verdict;
use crate::workload::Unit;

/// A figure over all rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// A quarter of the rounds is below.
    pub low: f64,
    /// The middle one.
    pub median: f64,
    /// A quarter of the rounds is above.
    pub high: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of at least one value; of none, not numbers.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match (values.len() % 2, values.get(middle)) {
            (_, None) => f64::NAN,
            (0, Some(upper)) => f64::midpoint(values[middle - 1], *upper),
            (_, Some(value)) => *value,
        };
        let last = values.len().saturating_sub(1);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self {
            min: at(0),
            low: at(last / 4),
            median,
            high: at(last - last / 4),
            max: at(last),
        }
    }

    /// Of a figure that depends on this one, always growing or always falling with it.
    #[must_use]
    pub fn map(self, of: impl Fn(f64) -> f64) -> Self {
        let [min, low, median, high, max] =
            [self.min, self.low, self.median, self.high, self.max].map(of);
        if min <= max {
            return Self {
                min,
                low,
                median,
                high,
                max,
            };
        }
        Self {
            min: max,
            low: high,
            median,
            high: low,
            max: min,
        }
    }

    /// Of a figure that was taken once.
    #[must_use]
    pub const fn once(value: f64) -> Self {
        Self {
            min: value,
            low: value,
            median: value,
            high: value,
            max: value,
        }
    }
}

/// One peer in one row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Who.
    pub peer: Peer,
    /// The figure.
    pub value: Spread,
    /// Ours divided by this peer's, round by round. Where that makes sense.
    pub ratio: Option<Spread>,
}

/// One row of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowResult {
    /// Its name.
    pub id: String,
    /// What one operation is.
    pub what: String,
    /// What the figures count.
    pub unit: Unit,
    /// The peers that took part.
    pub cells: Vec<Cell>,
    /// What was to be reached, and whether it was.
    pub verdicts: Vec<Verdict>,
}

impl RowResult {
    /// The cell of a peer.
    #[must_use]
    pub fn cell(&self, peer: Peer) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.peer == peer)
    }
}

/// A complete run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// When, in UTC.
    pub date: String,
    /// Where.
    pub machine: Machine,
    /// Rounds of each workload.
    pub rounds: u32,
    /// How often the peers were started anew for them.
    pub starts: u32,
    /// Milliseconds of each batch.
    pub batch_ms: u64,
    /// What the machine itself takes.
    pub floors: Vec<RowResult>,
    /// The comparison.
    pub rows: Vec<RowResult>,
    /// `size_of` of what is moved about, in bytes: type, ours, 0.4.2, 0.12, bytes.
    pub sizes: Vec<Size>,
}

/// `size_of` of one type of each peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Size {
    /// Whose.
    pub peer: Peer,
    /// Of the builder, in bytes.
    pub buffer: usize,
    /// Of the view, in bytes.
    pub view: usize,
}

impl Size {
    /// Of all peers that have both.
    #[must_use]
    pub fn all() -> Vec<Self> {
        fn of<P: crate::peer::Build>() -> Size {
            Size {
                peer: P::PEER,
                buffer: size_of::<P::Buf>(),
                view: size_of::<P::View>(),
            }
        }
        use crate::peer::{Bb04, Bb12, BytesCrate, Glibc, Ntex, Ours};
        vec![
            of::<Ours>(),
            of::<Bb04>(),
            of::<Bb12>(),
            of::<BytesCrate>(),
            of::<Glibc>(),
            of::<Ntex>(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let odd = Spread::of(vec![3.0, 1.0, 2.0]);
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        let even = Spread::of(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!((even.min, even.median, even.max), (1.0, 2.5, 4.0));
        assert!(Spread::of(Vec::new()).median.is_nan());
    }

    #[test]
    fn a_quarter_is_on_either_side() {
        let spread = Spread::of((0..9).map(f64::from).collect());
        assert_eq!((spread.low, spread.high), (2.0, 6.0));
        let one = Spread::of(vec![5.0]);
        assert_eq!(one, Spread::once(5.0));
    }

    #[test]
    fn the_least_stays_the_least() {
        let spread = Spread::of((1..10).map(f64::from).collect());
        let double = spread.map(|value| 2.0 * value);
        assert_eq!((double.min, double.low, double.max), (2.0, 6.0, 18.0));
        let inverse = spread.map(|value| 1.0 / value);
        assert_eq!((inverse.min, inverse.max), (1.0 / 9.0, 1.0));
        assert_eq!((inverse.low, inverse.high), (1.0 / 7.0, 1.0 / 3.0));
    }
}
