//! What is to be reached: one table, with the row of the project's target table that
//! each line comes from. Nothing here is a measurement.

use serde::{Deserialize, Serialize};

use crate::peer::Peer;
use crate::results::{RowResult, Spread};
use crate::workload::Unit;

/// What a row is compared with.
#[derive(Clone, Copy, Debug)]
enum Against {
    /// The better of bytesbuf 0.4.2 and 0.12.
    Bb,
    /// One peer.
    Peer(Peer),
    /// Ours in another row.
    Own(&'static str),
    /// Nothing: the figure itself counts.
    Itself,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

use Against::{Bb, Itself, Own, Peer as Of};
use Bound::{AtLeast, AtMost};
use Peer::{Bytes, Mimalloc, Raw, Vec as SystemVec};

#[derive(Clone, Copy, Debug)]
struct Target {
    /// The row of our table.
    row: &'static str,
    against: Against,
    bound: Bound,
    /// Hoped for, not asked for.
    stretch: bool,
    /// The row of the target table.
    source: &'static str,
}

const fn must(row: &'static str, against: Against, bound: Bound, source: &'static str) -> Target {
    Target {
        row,
        against,
        bound,
        stretch: false,
        source,
    }
}

const fn hope(row: &'static str, against: Against, bound: Bound, source: &'static str) -> Target {
    Target {
        stretch: true,
        ..must(row, against, bound, source)
    }
}

/// The target table. Rows of it that have no clock in them (read-modify-writes,
/// instructions) are checked elsewhere.
const TARGETS: &[Target] = &[
    must("W1 64 B", Bb, AtMost(0.07), "W1 64 B to 64 KiB"),
    must("W1 64 B", Of(Bytes), AtMost(0.65), "W1 64 B to 64 KiB"),
    must("W1 1 KiB", Bb, AtMost(0.07), "W1 64 B to 64 KiB"),
    must("W1 1 KiB", Of(Bytes), AtMost(0.65), "W1 64 B to 64 KiB"),
    must("W1 1 KiB", Of(Mimalloc), AtMost(1.0), "W1 64 B to 64 KiB"),
    must("W1 4 KiB", Bb, AtMost(0.07), "W1 64 B to 64 KiB"),
    must("W1 4 KiB", Of(Bytes), AtMost(0.65), "W1 64 B to 64 KiB"),
    must("W1 4 KiB", Of(Mimalloc), AtMost(0.3), "W1 64 B to 64 KiB"),
    must("W1 64 KiB", Bb, AtMost(0.07), "W1 64 B to 64 KiB"),
    must("W1 64 KiB", Of(Bytes), AtMost(0.65), "W1 64 B to 64 KiB"),
    must("W1 64 KiB", Of(Mimalloc), AtMost(0.3), "W1 64 B to 64 KiB"),
    must("W1 1 MiB", Bb, AtMost(0.2), "W1 1 MiB"),
    hope("W1 1 MiB contiguous", Of(Bytes), AtMost(1.0), "W1 1 MiB"),
    must("W2 message", Bb, AtMost(0.10), "W2 / W2s"),
    must("W2 message", Of(Bytes), AtMost(0.65), "W2 / W2s"),
    hope("W2 message", Of(SystemVec), AtMost(1.1), "W2 / W2s"),
    must("W2s message", Bb, AtMost(0.13), "W2 / W2s"),
    must("W2s message", Of(Bytes), AtMost(0.45), "W2 / W2s"),
    must("W3 1 span", Of(Bytes), AtMost(1.05), "W3 1 span"),
    must("W3 16 spans", Bb, AtMost(0.08), "W3 16 spans"),
    // "Independent of the span count" has no figure there; this is how we read it.
    must("W3 16 spans", Own("W3 1 span"), AtMost(1.1), "W3 16 spans"),
    must("W4 range", Of(Bytes), AtMost(1.05), "W4"),
    must("W5 sum", Bb, AtMost(0.4), "W5, W5m"),
    hope("W5 sum", Of(Raw), AtMost(2.0), "W5, W5m"),
    must("W5 each", Bb, AtMost(0.4), "W5, W5m"),
    hope("W5 each", Of(Raw), AtMost(2.0), "W5, W5m"),
    must("W5m sum", Bb, AtMost(0.4), "W5, W5m"),
    must("W5m sum", Of(Bytes), AtMost(0.4), "W5, W5m"),
    must("W5m each", Bb, AtMost(0.4), "W5, W5m"),
    must("W5m each", Of(Bytes), AtMost(0.4), "W5, W5m"),
    must("W6 u64", Bb, AtMost(0.5), "W6"),
    must("W6 u64", Of(Bytes), AtMost(1.0), "W6"),
    hope("W6 u64", Of(Raw), AtMost(3.0), "W6"),
    must("W6 byte", Bb, AtMost(0.5), "W6"),
    must("W6 byte", Of(Bytes), AtMost(1.0), "W6"),
    hope("W6 byte", Of(Raw), AtMost(3.0), "W6"),
    // Throughput there, time here: at least 1.0 is at most 1.0.
    must("W7 put_slice 64 KiB", Of(SystemVec), AtMost(1.0), "W7"),
    must("W8b hand-off", Bb, AtMost(0.25), "W8b"),
    must("W8b hand-off", Of(Mimalloc), AtMost(0.7), "W8b"),
    hope("W8b hand-off", Bb, AtMost(0.15), "W8b"),
    // Both clocks are asked: see `workload::shared_pool` for what each of them does not see.
    must(
        "W9 per core, 2 threads (wall)",
        Itself,
        AtLeast(0.9),
        "W9, 2 and 4 threads on one pool",
    ),
    must(
        "W9 per core, 2 threads (cpu)",
        Itself,
        AtLeast(0.9),
        "W9, 2 and 4 threads on one pool",
    ),
    must(
        "W9 per core, 4 threads (wall)",
        Itself,
        AtLeast(0.9),
        "W9, 2 and 4 threads on one pool",
    ),
    must(
        "W9 per core, 4 threads (cpu)",
        Itself,
        AtLeast(0.9),
        "W9, 2 and 4 threads on one pool",
    ),
    must("W11 frames off the builder", Bb, AtMost(0.15), "W11 / W11v"),
    hope(
        "W11 frames off the builder",
        Of(Bytes),
        AtMost(1.0),
        "W11 / W11v",
    ),
    must("W11v frames off a view", Bb, AtMost(0.15), "W11 / W11v"),
    must(
        "W11v frames off a view",
        Of(Bytes),
        AtMost(0.5),
        "W11 / W11v",
    ),
    must("W12 header + payload", Bb, AtMost(0.25), "W12"),
    must("W12 header + payload", Of(Bytes), AtMost(1.2), "W12"),
    hope("W12 header + payload", Of(Bytes), AtMost(1.0), "W12"),
    must("W14 p99.9", Bb, AtMost(0.4), "W14 p99.9"),
    // 5 % of 4 KiB.
    must(
        "W13 overhead of a live 4 KiB",
        Itself,
        AtMost(204.8),
        "memory",
    ),
    must(
        "W13 RSS after trim",
        Own("W13 RSS before"),
        AtMost(1.05),
        "memory",
    ),
    must(
        "W13 RSS after trim, 1 KiB",
        Own("W13 RSS before, 1 KiB"),
        AtMost(1.05),
        "memory",
    ),
];

/// A target and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// In words, such as `<= 0.07 x bb`.
    pub target: String,
    /// The row of the target table that it comes from.
    pub source: String,
    /// The figure that counts; `None` if the run did not measure it.
    pub measured: Option<Spread>,
    /// How far from the target: 1 is just met, 2 is twice what it may be.
    pub distance: Option<Spread>,
    /// Hoped for, not asked for.
    pub stretch: bool,
    /// Whether it is reached; never if it was not measured.
    pub met: bool,
}

/// Fills in the verdicts of all rows that have a target.
pub fn judge(rows: &mut [RowResult]) {
    let all = rows.to_vec();
    for row in rows {
        row.verdicts = TARGETS
            .iter()
            .filter(|target| target.row == row.id)
            .map(|target| target.verdict(row, &all))
            .collect();
    }
}

impl Target {
    fn verdict(&self, row: &RowResult, all: &[RowResult]) -> Verdict {
        let measured = self.measured(row, all);
        let distance = measured.map(|measured| match self.bound {
            AtMost(bound) => measured.map(|value| value / bound),
            AtLeast(bound) => measured.map(|value| bound / value),
        });
        Verdict {
            target: self.words(row.unit),
            source: self.source.to_owned(),
            measured,
            distance,
            stretch: self.stretch,
            met: distance.is_some_and(|distance| distance.median <= 1.0),
        }
    }

    /// The figure that is compared with the bound.
    fn measured(&self, row: &RowResult, all: &[RowResult]) -> Option<Spread> {
        match self.against {
            Bb => {
                [Peer::Bb04, Peer::Bb12]
                    .into_iter()
                    .filter_map(|peer| row.cell(peer))
                    .min_by(|a, b| a.value.median.total_cmp(&b.value.median))?
                    .ratio
            }
            Of(peer) => row.cell(peer)?.ratio,
            Own(other) => {
                let ours = row.cell(Peer::Ours)?.value;
                let other = all.iter().find(|row| row.id == other)?;
                let other = other.cell(Peer::Ours)?.value.median;
                Some(ours.map(|ours| ours / other))
            }
            Itself => Some(row.cell(Peer::Ours)?.value),
        }
    }

    fn words(&self, unit: Unit) -> String {
        let (sign, bound) = match self.bound {
            AtMost(bound) => ("<=", bound),
            AtLeast(bound) => (">=", bound),
        };
        match self.against {
            Bb => format!("{sign} {bound} x bb"),
            Of(peer) => format!("{sign} {bound} x {}", peer.label()),
            Own(other) => format!("{sign} {bound} x own {other}"),
            Itself if unit == Unit::Bytes => format!("{sign} {bound} B"),
            Itself => format!("{sign} {bound}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;
    use crate::results::Cell;
    use crate::workload;

    #[test]
    fn every_target_names_a_row_that_there_is() {
        let rows: Vec<String> = workload::all()
            .into_iter()
            .flat_map(|workload| workload.rows)
            .map(|row| row.id)
            .chain(memory::row_ids())
            .collect();
        for target in TARGETS {
            assert!(rows.iter().any(|row| row == target.row), "{target:?}");
            if let Own(other) = target.against {
                assert!(rows.iter().any(|row| row == other), "{target:?}");
            }
        }
    }

    fn row(id: &str, figures: &[(Peer, f64)]) -> RowResult {
        let ours = figures[0].1;
        RowResult {
            id: id.to_owned(),
            what: String::new(),
            unit: Unit::Ns,
            cells: figures
                .iter()
                .map(|&(peer, value)| Cell {
                    peer,
                    value: Spread::once(value),
                    ratio: Some(Spread::once(ours / value)),
                })
                .collect(),
            verdicts: Vec::new(),
        }
    }

    #[track_caller]
    fn check(figures: &[(Peer, f64)], met: [bool; 2]) {
        let mut rows = [row("W1 64 B", figures)];
        judge(&mut rows);
        let verdicts: Vec<bool> = rows[0].verdicts.iter().map(|verdict| verdict.met).collect();
        assert_eq!(verdicts, met, "{:?}", rows[0].verdicts);
    }

    #[test]
    fn the_better_bytesbuf_counts() {
        use Peer::{Bb04, Bb12, Ours};
        check(
            &[(Ours, 7.0), (Bb04, 200.0), (Bb12, 100.0), (Bytes, 20.0)],
            [true, true],
        );
        check(
            &[(Ours, 7.1), (Bb04, 200.0), (Bb12, 100.0), (Bytes, 20.0)],
            [false, true],
        );
        check(
            &[(Ours, 7.1), (Bb04, 100.0), (Bb12, 200.0), (Bytes, 10.0)],
            [false, false],
        );
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        check(&[(Peer::Ours, 1.0)], [false, false]);
    }

    #[test]
    fn more_is_better_where_a_share_is_asked_for() {
        let mut rows = [row("W9 per core, 2 threads (wall)", &[(Peer::Ours, 0.89)])];
        judge(&mut rows);
        assert!(!rows[0].verdicts[0].met);
        rows[0].cells[0].value = Spread::once(0.91);
        judge(&mut rows);
        assert!(rows[0].verdicts[0].met);
    }
}
