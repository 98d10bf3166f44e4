//! What is measured.
//!
//! A [`Workload`] is a row or more of the table, with one [`Case`] for each peer that
//! takes part. A case makes its [`Job`] on the thread that will run it: a job owns a
//! pool and whatever has to be warm. The job reads the clock itself, so that nothing
//! around it is charged to the peer.
//!
//! The clock of a job on one thread is the processor time of that thread: on a quiet
//! machine the same as the wall's, and on a busy one without the time in which others ran.
//! Where two threads take turns, the clock is the wall's and the median of many short
//! spans counts ([`Spans`]); where threads run at a time, the wall's ([`shared_pool`]).

mod append;
mod clone;
mod copy;
mod floors;
mod frames;
mod hand_off;
mod latency;
mod message;
mod put;
mod range;
mod read;
mod reserve;
mod shared_pool;

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};

use crate::peer::Peer;

/// How many figures a job may yield beside its time.
pub const EXTRAS: usize = 5;

/// What one batch of iterations took.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// All iterations of the batch.
    pub time: Duration,
    /// What else the job measured, in the unit of the row that shows it.
    pub extra: [f64; EXTRAS],
}

/// One peer at one workload.
pub trait Job {
    /// Runs the workload `iters` times.
    fn run(&mut self, iters: u64) -> Outcome;

    /// The bytes that the workload produces, to be compared between the peers.
    fn produce(&mut self) -> Vec<u8>;
}

/// A peer that takes part in a workload.
#[derive(Clone)]
pub struct Case {
    /// Who.
    pub peer: Peer,
    make: Arc<dyn Fn() -> Box<dyn Job> + Send + Sync>,
}

impl Case {
    fn new<J: Job + 'static>(peer: Peer, make: impl Fn() -> J + Send + Sync + 'static) -> Self {
        Self {
            peer,
            make: Arc::new(move || Box::new(make())),
        }
    }

    /// A job with warm state, to be called on the thread that runs it.
    #[must_use]
    pub fn job(&self) -> Box<dyn Job> {
        (self.make)()
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds an operation; less is better.
    Ns,
    /// A share of something; more is better.
    Share,
    /// Bytes; less is better.
    Bytes,
    /// Mebibytes; less is better.
    MiB,
}

/// Where a row takes its figure from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The time of a batch, divided by its operations.
    Time,
    /// One of [`Outcome::extra`].
    Extra(usize),
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name, as the targets know it.
    pub id: String,
    /// What is counted.
    pub unit: Unit,
    /// Where from.
    pub source: Source,
}

/// Work that several peers can do.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name; that of its first row.
    pub id: String,
    /// What one operation is.
    pub what: String,
    /// Operations in one iteration.
    pub ops: u64,
    /// What the table shows of it.
    pub rows: Vec<Row>,
    /// Who takes part.
    pub cases: Vec<Case>,
}

impl Workload {
    fn new(id: impl Into<String>, what: &str, ops: u64, cases: Vec<Case>) -> Self {
        let id = id.into();
        Self {
            rows: vec![Row {
                id: id.clone(),
                unit: Unit::Ns,
                source: Source::Time,
            }],
            id,
            what: what.to_owned(),
            ops,
            cases,
        }
    }

    /// A further row, of one of the extra figures.
    fn row(mut self, id: &str, unit: Unit, extra: usize) -> Self {
        self.rows.push(Row {
            id: id.to_owned(),
            unit,
            source: Source::Extra(extra),
        });
        self
    }
}

/// `cases!(Job(args) for A, B)`: one case for each peer type, made by `Job::<A>::new(args)`.
macro_rules! cases {
    ($job:ident $args:tt for $($peer:ident),+ $(,)?) => {
        vec![$(
            $crate::workload::Case::new(
                <$crate::peer::$peer as $crate::peer::Reserve>::PEER,
                move || $job::<$crate::peer::$peer>::new $args,
            )
        ),+]
    };
}
use cases;

/// All workloads, in the order of the table.
#[must_use]
pub fn all() -> Vec<Workload> {
    [
        reserve::workloads(),
        message::workloads(),
        clone::workloads(),
        range::workloads(),
        read::workloads(),
        put::workloads(),
        copy::workloads(),
        hand_off::workloads(),
        shared_pool::workloads(),
        frames::workloads(),
        append::workloads(),
        latency::workloads(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What the machine itself takes: no peer can be faster than these.
#[must_use]
pub fn floors() -> Vec<Workload> {
    floors::workloads()
}

/// Times `iters` calls, by the processor time of this thread.
#[inline]
fn timed(iters: u64, mut op: impl FnMut()) -> Outcome {
    let start = ThreadTime::now();
    for _ in 0..iters {
        op();
    }
    Outcome {
        time: start.elapsed(),
        extra: [f64::NAN; EXTRAS],
    }
}

/// Short spans of wall time, one of which counts for all: the middle one. What
/// interrupts a span makes that one long and no other.
#[derive(Debug, Default)]
struct Spans(Vec<Duration>);

impl Spans {
    fn push(&mut self, span: Duration) {
        self.0.push(span);
    }

    /// As long as all spans together would be if each were the middle one.
    fn total(&mut self) -> Duration {
        let count = self.0.len();
        if count == 0 {
            return Duration::ZERO;
        }
        let (_, middle, _) = self.0.select_nth_unstable(count / 2);
        let total = middle.as_nanos() * count as u128;
        self.0.clear();
        Duration::from_nanos(u64::try_from(total).unwrap_or(u64::MAX))
    }
}

/// Makes the compiler believe that `value` is looked at, where it is, then drops it.
#[inline]
fn use_and_drop<T>(value: T) {
    black_box(&value);
}

/// Nanoseconds of each of `count` operations.
fn ns_per(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_does_not_count() {
        let mut spans = Spans::default();
        for micros in [10, 10, 5_000, 10, 11] {
            spans.push(Duration::from_micros(micros));
        }
        assert_eq!(spans.total(), Duration::from_micros(50));
        assert_eq!(spans.total(), Duration::ZERO);
    }
}
