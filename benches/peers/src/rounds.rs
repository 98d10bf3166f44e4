//! Interleaved rounds.
//!
//! Each round runs every peer of a workload once, for a batch of iterations that takes
//! about the same time for all; the order rotates. What disturbs the machine for longer than
//! a round then hits all peers, and what is shorter hits a few rounds: the median over
//! rounds of the *ratio within a round* sees neither. Nanoseconds are medians too, but do not
//! carry over to another run.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::contender::Contender;
use crate::peer::Peer;
use crate::results::{Cell, RowResult, Spread};
use crate::workload::{Outcome, Row, Source, Unit, Workload};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Rounds of each workload.
    pub rounds: u32,
    /// What one peer runs for in one round.
    pub batch: Duration,
}

/// Runs a workload and gives its rows, without verdicts.
///
/// # Errors
/// A peer panicked, or does not produce the same bytes as the others.
pub fn measure(workload: &Workload, settings: Settings) -> Result<Vec<RowResult>> {
    let contenders = start(workload)?;
    let iters = contenders
        .iter()
        .map(|contender| contender.calibrate(settings.batch))
        .collect::<Result<Vec<_>>>()?;
    let mut outcomes = vec![Vec::new(); contenders.len()];
    for round in 0..settings.rounds as usize {
        for turn in 0..contenders.len() {
            let turn = (turn + round) % contenders.len();
            outcomes[turn].push(contenders[turn].run(iters[turn])?);
        }
    }
    let peers: Vec<Peer> = contenders.iter().map(|contender| contender.peer).collect();
    Ok(workload
        .rows
        .iter()
        .map(|row| row_result(workload, row, &peers, &iters, &outcomes))
        .collect())
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
    iters: &[u64],
    outcomes: &[Vec<Outcome>],
) -> RowResult {
    let values: Vec<Vec<f64>> = outcomes
        .iter()
        .zip(iters)
        .map(|(outcomes, iters)| {
            let operations = (iters * workload.ops) as f64;
            outcomes
                .iter()
                .map(|outcome| match row.source {
                    Source::Time => outcome.time.as_nanos() as f64 / operations,
                    Source::Extra(index) => outcome.extra[index],
                })
                .collect()
        })
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
    fn the_ratio_is_that_of_neighbours_in_time() {
        // The machine is ten times as slow in the second round: the ratio stays.
        let ratio = ratio(&[1.0, 10.0, 1.0], &[2.0, 20.0, 2.0]);
        assert_eq!(ratio, Spread::once(0.5));
    }
}
