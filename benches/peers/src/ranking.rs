//! Whether two runs put the peers in the same order.
//!
//! Two peers of a row are *tied* in a run if the middle halves of their rounds overlap, or if
//! what is between them is less than what anybody would choose by ([`NEAR`]). The runs disagree
//! about two peers if each run sees a difference, and not in the same direction. So a tie
//! agrees with everything: a run that is too noisy to tell says nothing, and cannot be
//! contradicted.

use std::fmt::Write;

use crate::peer::Peer;
use crate::results::{Cell, Results, RowResult};

/// A peer's figure is taken to be uncertain by this share in both directions, at least.
const NEAR: f64 = 0.025;

/// What two runs say about one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// The order in the first run, in words.
    pub first: String,
    /// The order in the second run, in words.
    pub second: String,
    /// Peers that are in one order in the first run, in the other one in the second.
    pub swapped: Vec<(Peer, Peer)>,
}

/// What two runs say about all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Rows of both.
    pub rows: Vec<Row>,
    /// Names of rows that only one of them has.
    pub alone: Vec<String>,
}

impl Comparison {
    /// Compares two runs.
    #[must_use]
    pub fn of(first: &Results, second: &Results) -> Self {
        Self::of_rows(&first.rows, &second.rows)
    }

    fn of_rows(first: &[RowResult], second: &[RowResult]) -> Self {
        let find = |rows: &[RowResult], id: &str| rows.iter().find(|row| row.id == id).cloned();
        let mut found = Self::default();
        for one in first {
            match find(second, &one.id) {
                Some(other) => found.rows.push(Row::of(one, &other)),
                None => found.alone.push(one.id.clone()),
            }
        }
        let missing = second.iter().filter(|row| find(first, &row.id).is_none());
        found.alone.extend(missing.map(|row| row.id.clone()));
        found
    }

    /// Rows about which the runs disagree.
    pub fn differing(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.swapped.is_empty())
    }

    /// A line for each row on which they agree, more for the others.
    #[must_use]
    pub fn text(&self) -> String {
        let width = self.rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
        let mut text = String::new();
        for row in &self.rows {
            if row.swapped.is_empty() {
                let _ = writeln!(text, "same    {:width$}  {}", row.id, row.first);
                continue;
            }
            let _ = writeln!(text, "DIFFERS {:width$}  {}", row.id, row.first);
            let _ = writeln!(text, "        {:width$}  {}", "", row.second);
            for (one, other) in &row.swapped {
                let (one, other) = (one.label(), other.label());
                let _ = writeln!(
                    text,
                    "        {:width$}  {one} and {other} change places",
                    ""
                );
            }
        }
        for id in &self.alone {
            let _ = writeln!(text, "alone   {id}  is in one of the runs only");
        }
        let differing = self.differing().count();
        let _ = writeln!(
            text,
            "rows with the same ranking: {} of {}",
            self.rows.len() - differing,
            self.rows.len()
        );
        text
    }
}

impl Row {
    fn of(first: &RowResult, second: &RowResult) -> Self {
        let mut swapped = Vec::new();
        for (at, one) in first.cells.iter().enumerate() {
            for other in &first.cells[at + 1..] {
                let again = second.cell(one.peer).zip(second.cell(other.peer));
                let Some((one_again, other_again)) = again else {
                    continue;
                };
                let before = less(one, other).zip(less(one_again, other_again));
                if before.is_some_and(|(first, second)| first != second) {
                    swapped.push((one.peer, other.peer));
                }
            }
        }
        Self {
            id: first.id.clone(),
            first: order(first),
            second: order(second),
            swapped,
        }
    }
}

/// Whether the first is less than the second; `None` if they are tied.
fn less(one: &Cell, other: &Cell) -> Option<bool> {
    let ((one_low, one_high), (other_low, other_high)) = (interval(one), interval(other));
    if one_high < other_low {
        Some(true)
    } else if other_high < one_low {
        Some(false)
    } else {
        None
    }
}

fn interval(cell: &Cell) -> (f64, f64) {
    let value = cell.value;
    let near = value.median * NEAR;
    (
        value.low.min(value.median - near),
        value.high.max(value.median + near),
    )
}

/// From the least to the greatest; `=` between neighbours that are tied.
fn order(row: &RowResult) -> String {
    let mut cells: Vec<&Cell> = row.cells.iter().collect();
    cells.sort_by(|one, other| one.value.median.total_cmp(&other.value.median));
    let mut text = String::new();
    let mut before: Option<&Cell> = None;
    for cell in cells {
        if let Some(before) = before {
            text += if less(before, cell).is_some() {
                " < "
            } else {
                " = "
            };
        }
        text += cell.peer.label();
        before = Some(cell);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer::{Bytes, Ours, Vec as SystemVec};
    use crate::results::Spread;
    use crate::workload::Unit;

    fn row(id: &str, figures: &[(Peer, [f64; 3])]) -> RowResult {
        let cell = |&(peer, [low, median, high]): &(Peer, [f64; 3])| Cell {
            peer,
            value: Spread {
                min: 0.0,
                low,
                median,
                high,
                max: 1e9,
            },
            ratio: None,
        };
        RowResult {
            id: id.to_owned(),
            what: String::new(),
            unit: Unit::Ns,
            cells: figures.iter().map(cell).collect(),
            verdicts: Vec::new(),
        }
    }

    #[track_caller]
    fn check(first: &[(Peer, [f64; 3])], second: &[(Peer, [f64; 3])], swapped: &[(Peer, Peer)]) {
        let found = Row::of(&row("W", first), &row("W", second));
        assert_eq!(found.swapped, swapped, "{} / {}", found.first, found.second);
    }

    #[test]
    fn the_same_order_agrees_whatever_the_machine_does() {
        check(
            &[(Ours, [9.0, 10.0, 11.0]), (Bytes, [19.0, 20.0, 21.0])],
            &[(Ours, [90.0, 100.0, 110.0]), (Bytes, [190.0, 200.0, 210.0])],
            &[],
        );
    }

    #[test]
    fn two_that_change_places_are_named() {
        check(
            &[(Ours, [9.0, 10.0, 11.0]), (Bytes, [19.0, 20.0, 21.0])],
            &[(Ours, [29.0, 30.0, 31.0]), (Bytes, [19.0, 20.0, 21.0])],
            &[(Ours, Bytes)],
        );
    }

    #[test]
    fn a_tie_agrees_with_both_orders() {
        let tied = [(Ours, [9.0, 12.0, 15.0]), (Bytes, [8.0, 11.0, 14.0])];
        let less = [(Ours, [9.0, 10.0, 11.0]), (Bytes, [19.0, 20.0, 21.0])];
        let more = [(Ours, [29.0, 30.0, 31.0]), (Bytes, [19.0, 20.0, 21.0])];
        check(&tied, &less, &[]);
        check(&more, &tied, &[]);
    }

    #[test]
    fn a_difference_that_nobody_would_choose_by_is_a_tie() {
        let exact = |ours, bytes| [(Ours, [ours; 3]), (Bytes, [bytes; 3])];
        check(&exact(100.0, 104.0), &exact(104.0, 100.0), &[]);
        check(&exact(100.0, 106.0), &exact(106.0, 100.0), &[(Ours, Bytes)]);
    }

    #[test]
    fn who_is_in_one_run_only_has_no_place_to_change() {
        check(
            &[(Ours, [1.0; 3]), (SystemVec, [2.0; 3])],
            &[(Ours, [3.0; 3]), (Bytes, [2.0; 3])],
            &[],
        );
    }

    #[test]
    fn the_order_shows_ties() {
        let row = row(
            "W",
            &[
                (Ours, [19.0, 20.0, 21.0]),
                (Bytes, [18.0, 19.0, 20.0]),
                (SystemVec, [1.0, 2.0, 3.0]),
            ],
        );
        assert_eq!(order(&row), "Vec < bytes = ours");
    }

    #[test]
    fn rows_that_differ_are_printed_with_both_orders() {
        let first = [
            row("W1", &[(Ours, [1.0; 3]), (Bytes, [2.0; 3])]),
            row("W2", &[(Ours, [1.0; 3])]),
        ];
        let second = [row("W1", &[(Ours, [2.0; 3]), (Bytes, [1.0; 3])])];
        let found = Comparison::of_rows(&first, &second);
        assert_eq!(found.differing().count(), 1);
        assert_eq!(
            found.text(),
            "DIFFERS W1  ours < bytes\n            bytes < ours\n            ours and bytes change places\n\
             alone   W2  is in one of the runs only\nrows with the same ranking: 0 of 1\n"
        );
    }
}
