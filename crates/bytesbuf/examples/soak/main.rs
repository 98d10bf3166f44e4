//! Hours of use in minutes: one pool under a budget, threads that pass messages to
//! each other, slow holders, short-lived threads; and a judgement at the end.
//!
//! ```text
//! cargo xtask soak --minutes 5
//! cargo run --release --example soak -- --seconds 10
//! ```
//!
//! # What happens
//! ```text
//!             ┌──────────────── hand over, at random ───────────────┐
//!             ▼                                                     │
//!  worker ── inbox ── check ── drop │ cut, join, clone │ pass on ───┤
//!    │                                                              │
//!    ├── reserve (try, wait, async, contiguous) ── fill ────────────┤
//!    ├── hold for a while ── check ── drop                          │
//!    └── short-lived thread: reserve, check what it got, send ──────┘
//! ```
//! Each worker has a connection's budget below the pool's, and uses either handle.
//! Sizes are skewed: half of the messages are below 450 bytes, the largest 200 KiB.
//! Workers hold as much as they get, so the budget is used up again and again; who
//! is refused lets some go. Nobody waits without an end: all could be holding what
//! the others wait for.
//!
//! Then, on the same pool, a steady load: `steady`.
//!
//! # What is judged
//! * Every message carries a digest of what it has to contain, made from a copy of
//!   the bytes and never from the view. Whoever receives it, or has held it, checks.
//! * The steady load does not allocate, but for a stated constant.
//! * At the end nothing is in use, by the pool's figures and by those of each
//!   budget, and nobody waits.
//! * The most memory that the process ever had resident (as the kernel has seen it)
//!   is within the budget, what the pool may cache, and a stated constant.
//! * After `trim` the pool has nothing from the allocator, and resident memory is
//!   near where it was.
//!
//! Exit status: 0, or 1 with the figures of what failed. The hidden `--plant` shows
//! that it can.
//!
//! # Contents
//! | file | what |
//! |---|---|
//! | `worker` | what a thread does |
//! | `message` | bytes and their digest; cutting and joining |
//! | `obtain` | the ways to reserve; a future with a deadline |
//! | `random` | numbers |
//! | `steady` | a load that does not allocate |
//! | `totals` | what all threads count |
//! | `memory` | resident memory; the bound |
//! | `run` | starting, watching, stopping |
//! | `verdict` | the table and the judgement |

mod memory;
mod message;
mod obtain;
mod random;
mod run;
mod steady;
mod totals;
mod verdict;
mod worker;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Uses one pool under a budget from many threads for a while, and judges
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Args {
    /// How long
    #[arg(long, conflicts_with = "seconds")]
    minutes: Option<u64>,
    /// How long [default: 10]
    #[arg(long)]
    seconds: Option<u64>,
    /// Threads that pass messages to each other
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// Where random numbers start; a run is not repeatable all the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A fault to be found
    #[arg(long, hide = true)]
    plant: Option<Plant>,
}

/// A fault that is planted to see whether it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Plant {
    /// One view is forgotten
    Leak,
    /// One byte of one message is flipped
    Corrupt,
    /// Memory that is no part of the plan
    Hoard,
    /// One thread allocates for each message under the steady load
    Allocate,
}

impl Args {
    fn duration(&self) -> Duration {
        match (self.minutes, self.seconds) {
            (Some(minutes), _) => Duration::from_secs(minutes.saturating_mul(60)),
            (None, seconds) => Duration::from_secs(seconds.unwrap_or(10)),
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    if cfg!(debug_assertions) {
        eprintln!("soak: this is a debug build; add --release for a load that means something");
    }
    let verdict = run::run(&args);
    print!("{verdict}");
    let failures = verdict.failures();
    for failure in &failures {
        eprintln!("soak: {failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
