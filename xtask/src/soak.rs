//! Hours of use in minutes: the facade's example `soak`, built with optimisation.
//!
//! What it does and what it judges is in `crates/bytesbuf/examples/soak/main.rs`. After it has
//! passed, it has to fail on each of the faults that it can plant in itself.

use anyhow::{Context, Result, ensure};
use xshell::{Cmd, Shell, cmd};

use crate::steps::{Steps, figure, watch};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long
    #[arg(long, conflicts_with = "seconds")]
    minutes: Option<u64>,
    /// How long [default: 60]
    #[arg(long)]
    seconds: Option<u64>,
    /// What else the program is to be told
    #[arg(last = true)]
    more: Vec<String>,
}

impl Args {
    fn seconds(&self) -> u64 {
        let minutes = self.minutes.map(|minutes| minutes.saturating_mul(60));
        minutes.or(self.seconds).unwrap_or(60)
    }
}

/// The rows of the program's table that say how much it has done.
const FIGURES: [&str; 4] = ["written", "digests", "short-lived threads", "steady load"];

/// Faults, and a part of what the program says of each.
const PLANTS: [(&str, &str); 4] = [
    ("leak", "bytes of blocks are still in use"),
    ("corrupt", "digests differ"),
    ("hoard", "MiB were resident, of"),
    ("allocate", "messages of a steady load, of"),
];

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    steps.step("soak", |sh, _| {
        let mut table = Vec::new();
        let cmd = program(sh, args.seconds()).args(&args.more);
        watch(cmd, |line| table.push(line.to_owned()))?;
        for name in FIGURES {
            let row = table.iter().find(|row| row.starts_with(name));
            figure(squeezed(row.with_context(|| format!("no row `{name}`"))?));
        }
        Ok(())
    })?;
    // What it was told beside the time is for that run.
    if !args.more.is_empty() {
        return Ok(());
    }
    steps.step("soak, with faults in it", |sh, _| {
        for (plant, expected) in PLANTS {
            let cmd = program(sh, 2).args(["--plant", plant]);
            let output = cmd.ignore_status().output()?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(
                output.status.code() == Some(1) && said.contains(expected),
                "{plant}: not found ({}):\n{said}",
                output.status
            );
        }
        figure(format!("{} faults found", PLANTS.len()));
        Ok(())
    })
}

fn program(sh: &Shell, seconds: u64) -> Cmd<'_> {
    let seconds = seconds.to_string();
    cmd!(
        sh,
        "cargo run --quiet --release -p bytesbuf --example soak -- --seconds {seconds}"
    )
}

/// With one space where there are several.
fn squeezed(row: &str) -> String {
    row.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(minutes: Option<u64>, seconds: Option<u64>, expected: u64) {
        let more = Vec::new();
        let args = Args {
            minutes,
            seconds,
            more,
        };
        assert_eq!(args.seconds(), expected);
    }

    #[test]
    fn rows_are_squeezed() {
        let row = "written                     12 messages, 1 MiB, 3 MiB/s";
        assert_eq!(squeezed(row), "written 12 messages, 1 MiB, 3 MiB/s");
    }

    #[test]
    fn every_fault_that_can_be_planted_is() {
        let main = crate::workspace_root().join("crates/bytesbuf/examples/soak/main.rs");
        let main = std::fs::read_to_string(main).unwrap();
        let (_, plants) = main.split_once("enum Plant {").unwrap();
        let (plants, _) = plants.split_once('}').unwrap();
        let plants: Vec<_> = plants
            .lines()
            .filter_map(|line| line.trim().strip_suffix(','))
            .map(str::to_lowercase)
            .collect();
        assert_eq!(plants, PLANTS.map(|(plant, _)| plant));
    }

    #[test]
    fn minutes_are_sixty_seconds() {
        check(Some(5), None, 300);
        check(None, Some(7), 7);
        check(None, None, 60);
        check(Some(u64::MAX), None, u64::MAX);
    }
}
