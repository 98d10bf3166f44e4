//! Hours of use in minutes: the facade's example `soak`, built with optimisation.
//!
//! What it does and what it judges is in `crates/bytesbuf/examples/soak/main.rs`.

use anyhow::Result;
use xshell::cmd;

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

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let (seconds, more) = (args.seconds().to_string(), &args.more);
    steps.step("soak", |sh, _| {
        let cmd = cmd!(
            sh,
            "cargo run --quiet --release -p bytesbuf --example soak -- --seconds {seconds} {more...}"
        );
        let mut table = Vec::new();
        watch(cmd, |line| table.push(line.to_owned()))?;
        table.iter().filter_map(|row| worth_keeping(row)).for_each(figure);
        Ok(())
    })
}

/// A row of the program's table that says how much it has done.
fn worth_keeping(row: &str) -> Option<String> {
    const NAMES: [&str; 4] = ["written", "digests", "short-lived threads", "steady load"];
    let is_one = NAMES.iter().any(|name| row.starts_with(name));
    is_one.then(|| row.split_whitespace().collect::<Vec<_>>().join(" "))
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
    fn what_was_done_is_kept_of_the_table() {
        let row = "written                     12 messages, 1 MiB, 3 MiB/s";
        let kept = worth_keeping(row);
        assert_eq!(kept.as_deref(), Some("written 12 messages, 1 MiB, 3 MiB/s"));
        assert_eq!(worth_keeping("time                        5.0 s"), None);
    }

    #[test]
    fn minutes_are_sixty_seconds() {
        check(Some(5), None, 300);
        check(None, Some(7), 7);
        check(None, None, 60);
        check(Some(u64::MAX), None, u64::MAX);
    }
}
