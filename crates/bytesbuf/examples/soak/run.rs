//! Starts the workers, watches them, stops them, and looks at what is left.

use std::collections::VecDeque;
use std::hint::black_box;
use std::io::{IsTerminal, stderr};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bytesbuf::mem::{Budget, GlobalPool};
use indicatif::{ProgressBar, ProgressStyle};

use crate::memory::{BUDGET, Bound, MIB, most_resident, pool, resident};
use crate::random::Random;
use crate::steady;
use crate::totals::Totals;
use crate::verdict::Verdict;
use crate::worker::Worker;
use crate::{Args, Plant};

/// Messages that wait in an inbox at most.
const INBOX: usize = 256;

/// What an inbox holds is held, too: a share of the budget for a connection that
/// all four use up together, and more than one can.
const CONNECTION: usize = BUDGET / 4 + BUDGET / 16;

const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &Args) -> Verdict {
    let pool = pool();
    let process = pool.budget().expect("it has a limit").clone();
    let threads = args.threads as usize;
    let connections: Vec<_> = (0..threads).map(|_| process.child(CONNECTION)).collect();
    let totals = Totals::default();
    let bound = Bound::new(threads);
    let before = resident();
    let started = Instant::now();

    let (mut most_allocated, mut workers_failed) = (0, 0);
    thread::scope(|scope| {
        let (others, inboxes): (Vec<_>, Vec<_>) =
            (0..threads).map(|_| mpsc::sync_channel(INBOX)).unzip();
        let workers: Vec<_> = inboxes
            .into_iter()
            .zip(&connections)
            .enumerate()
            .map(|(index, (inbox, connection))| {
                let worker = Worker {
                    random: Random::new(args.seed.wrapping_mul(1 << 32) + index as u64),
                    handles: [pool.clone(), pool.with_budget(connection)],
                    inbox,
                    others: others.clone(),
                    totals: &totals,
                    plant: args.plant,
                    held: VecDeque::new(),
                    short: VecDeque::new(),
                    scratch: vec![0; 200 << 10],
                };
                scope.spawn(move || worker.run())
            })
            .collect();
        drop(others);
        let any_finished = || workers.iter().any(thread::ScopedJoinHandle::is_finished);
        most_allocated = watch(args, &pool, &process, &totals, any_finished);
        totals.stop();
        let stopped: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        // On threads that have never rented anything.
        let finishing: Vec<_> = stopped
            .into_iter()
            .map(|worker| worker.map(|worker| scope.spawn(move || worker.finish())))
            .collect();
        for thread in finishing {
            let finished = thread.and_then(|thread| thread.join());
            workers_failed += usize::from(finished.is_err());
        }
    });

    let elapsed = started.elapsed();
    let steady = steady::run(
        &pool,
        threads,
        steady_messages(args.duration()),
        args.seed,
        args.plant == Some(Plant::Allocate),
    );
    let left = pool.stats();
    let in_use: Vec<_> = [&process].into_iter().chain(&connections).collect();
    let charged = in_use.iter().map(|budget| budget.in_use()).sum();
    let waiting = in_use.iter().map(|budget| budget.waiting()).sum();
    pool.trim();
    Verdict {
        elapsed,
        threads,
        totals,
        steady,
        workers_failed,
        bytes_in_use: left.bytes_in_use(),
        charged,
        waiting,
        cached: left.bytes_cached(),
        budget: process.stats(),
        most_allocated,
        allocated_after_trim: pool.stats().bytes_allocated(),
        before,
        most_resident: most_resident(),
        after_trim: resident(),
        bound,
        table: left,
    }
}

/// Messages of a thread under the steady load after so long a mix: for a tenth of its
/// time or so, and not for many minutes.
fn steady_messages(mix: Duration) -> u64 {
    mix.as_secs().saturating_mul(1_000).clamp(10_000, 500_000)
}

/// Shows how it goes until time is up, or a worker is through before that. Returns
/// the most that the pool had from the allocator.
fn watch(
    args: &Args,
    pool: &GlobalPool,
    process: &Budget,
    totals: &Totals,
    any_finished: impl Fn() -> bool,
) -> usize {
    let bar = progress_bar(args.duration());
    let started = Instant::now();
    let (mut next_line, mut bytes_before) = (1, 0);
    let mut most_allocated = 0;
    let mut hoard = Vec::new();
    let mut fault_ordered = false;
    while started.elapsed() < args.duration() && !any_finished() {
        thread::sleep(LOOK_EVERY);
        let stats = pool.stats();
        most_allocated = most_allocated.max(stats.bytes_allocated());
        let seconds = started.elapsed().as_secs();
        if seconds < next_line {
            continue;
        }
        next_line = seconds + 1;
        let bytes = totals.bytes.get();
        let line = format!(
            "{:>4} MiB/s written, {:>5.1} MiB in use, {:>4.1} cached, {:>5.1} allocated, \
             {:>5.1} resident, {} checked",
            (bytes - bytes_before) / MIB as u64,
            mib(process.in_use()),
            mib(stats.bytes_cached()),
            mib(stats.bytes_allocated()),
            mib(resident().unwrap_or(0)),
            totals.checked.get(),
        );
        bytes_before = bytes;
        bar.set_position(seconds);
        if stderr().is_terminal() {
            bar.set_message(line);
        } else {
            eprintln!("{seconds:>4} s  {line}");
        }
        match args.plant {
            Some(Plant::Hoard) if hoard.is_empty() => hoard = vec![1_u8; 256 * MIB],
            Some(_) if !fault_ordered => {
                totals.order_fault();
                fault_ordered = true;
            }
            _ => {}
        }
    }
    black_box(&hoard);
    bar.finish_and_clear();
    most_allocated
}

/// A bar on standard error; `indicatif` hides it where that is not a terminal.
fn progress_bar(duration: Duration) -> ProgressBar {
    let bar = ProgressBar::new(duration.as_secs());
    if let Ok(style) = ProgressStyle::with_template("{pos:>4}/{len} s  {msg}") {
        bar.set_style(style);
    }
    bar
}

pub(crate) fn mib(bytes: usize) -> f64 {
    bytes as f64 / MIB as f64
}
