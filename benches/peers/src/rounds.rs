//! Interleaved rounds.
//!
//! Each round runs every peer of a workload once, for a batch of iterations that takes
//! about the same time for all; the order rotates. What disturbs the machine for longer than
//! a round then hits all peers, and what is shorter hits a few rounds: the median over
//! rounds of the *ratio within a round* sees neither. Nanoseconds are medians too, but do not
//! carry over to another run.
//!
//! The rounds are divided among several *starts*, each with new threads and new pools. Where a
//! peer happens to find its memory, and who of two threads runs ahead, stays the same as
//! long as they live: with one start that luck would be a figure, with several it is a
//! part of the spread.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::contender::Contender;
use crate::peer::Peer;
use crate::results::{Cell, RowResult, Spread};
use crate::workload::{Outcome, Row, Source, Unit, Workload};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Rounds of each workload, over all starts.
    pub rounds: u32,
    /// How often the peers are started anew; at most once a round.
    pub starts: u32,
    /// What one peer runs for in one round.
    pub batch: Duration,
}

/// Runs a workload and gives its rows, without verdicts.
///
/// # Errors
/// A peer panicked, or does not produce the same bytes as the others.
pub fn measure(workload: &Workload, settings: Settings) -> Result<Vec<RowResult>> {
    let mut outcomes = vec![Vec::new(); workload.cases.len()];
    for rounds in shares(settings) {
        let contenders = start(workload)?;
        let iters = contenders
            .iter()
            .map(|contender| contender.calibrate(settings.batch))
            .collect::<Result<Vec<_>>>()?;
        for round in 0..rounds as usize {
            for turn in 0..contenders.len() {
                let turn = (turn + round) % contenders.len();
                let (contender, iters) = (&contenders[turn], iters[turn]);
                outcomes[turn].push((iters, contender.run(iters)?));
            }
        }
    }
    let peers: Vec<Peer> = workload.cases.iter().map(|case| case.peer).collect();
    Ok(workload
        .rows
        .iter()
        .map(|row| row_result(workload, row, &peers, &outcomes))
        .collect())
}

/// How many rounds each start has: as equal as can be, none without a round.
fn shares(settings: Settings) -> impl Iterator<Item = u32> {
    let starts = settings.starts.clamp(1, settings.rounds.max(1));
    let (each, more) = (settings.rounds / starts, settings.rounds % starts);
    (0..starts).map(move |start| each + u32::from(start < more))
}

/// Starts all contenders of a workload and checks that they produce the same bytes.
///
/// # Errors
/// A peer panicked, or differs.
pub fn start(workload: &Workload) -> Result<Vec<Contender>> {
    let contenders = workload
        .cases
        .iter()
        .map(|case| Contender::start(&workload.id, case))
        .collect::<Result<Vec<_>>>()?;
    let (first, others) = contenders
        .split_first()
        .with_context(|| format!("{}: nobody takes part", workload.id))?;
    let expected = first.produce()?;
    for other in others {
        ensure!(
            other.produce()? == expected,
            "{}: {} does not produce the same bytes as {}",
            workload.id,
            other.peer.label(),
            first.peer.label()
        );
    }
    Ok(contenders)
}

fn row_result(
    workload: &Workload,
    row: &Row,
    peers: &[Peer],
    outcomes: &[Vec<(u64, Outcome)>],
) -> RowResult {
    let value = |(iters, outcome): &(u64, Outcome)| match row.source {
        Source::Time => outcome.time.as_nanos() as f64 / (iters * workload.ops) as f64,
        Source::Extra(index) => outcome.extra[index],
    };
    let values: Vec<Vec<f64>> = outcomes
        .iter()
        .map(|outcomes| outcomes.iter().map(value).collect())
        .collect();
    let ours = peers.iter().position(|peer| *peer == Peer::Ours);
    let ratio = |at: usize| {
        let ours = ours.filter(|ours| *ours != at && row.unit == Unit::Ns)?;
        Some(ratio(&values[ours], &values[at]))
    };
    let cells = peers
        .iter()
        .enumerate()
        .map(|(at, peer)| Cell {
            peer: *peer,
            value: Spread::of(values[at].clone()),
            ratio: ratio(at),
        })
        .collect();
    RowResult {
        id: row.id.clone(),
        what: workload.what.clone(),
        unit: row.unit,
        cells,
        verdicts: Vec::new(),
    }
}

/// Round by round.
fn ratio(ours: &[f64], theirs: &[f64]) -> Spread {
    Spread::of(
        ours.iter()
            .zip(theirs)
            .map(|(ours, theirs)| ours / theirs)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_belongs_to_one_start() {
        let shares = |rounds, starts| {
            let batch = Duration::ZERO;
            shares(Settings {
                rounds,
                starts,
                batch,
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(shares(101, 5), [21, 20, 20, 20, 20]);
        assert_eq!(shares(2, 5), [1, 1]);
        assert_eq!(shares(1, 1), [1]);
    }

    #[test]
    fn the_ratio_is_that_of_neighbours_in_time() {
        // The machine is ten times as slow in the second round: the ratio stays.
        let ratio = ratio(&[1.0, 10.0, 1.0], &[2.0, 20.0, 2.0]);
        assert_eq!(ratio, Spread::once(0.5));
    }
}
