//! The comparison with everything a user would pick instead.
//!
//! The peers live in a workspace of their own, as the oracle does: published crates of our
//! name never enter the root lock file, and nothing of them is compiled for the other verbs.
//! Everything is measured, printed and drawn over there; this builds and starts it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use xshell::cmd;

use crate::checked::Counted;
use crate::steps::Steps;

const MANIFEST: &str = "benches/peers/Cargo.toml";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Fewer and shorter rounds: a minute once it is built
    #[arg(long)]
    quick: bool,
    /// Rounds of each workload
    #[arg(long)]
    rounds: Option<u32>,
    /// Only workloads whose name contains this (may be given more than once)
    #[arg(long)]
    filter: Vec<String>,
    /// Also writes everything that was measured to this file
    #[arg(long)]
    json: Option<String>,
    /// Prints and draws what an earlier run wrote with --json, instead of measuring
    #[arg(long, conflicts_with_all = ["quick", "rounds", "filter", "json"])]
    show: Option<String>,
    /// Whether two runs, written with --json, put the peers in the same order; names the rows
    /// in which they do not
    #[arg(long, num_args = 2, value_names = ["FIRST", "SECOND"],
        conflicts_with_all = ["quick", "rounds", "filter", "json", "show", "once"])]
    compare: Vec<String>,
    /// No figures: builds it and runs every workload once, to compare what the peers produce
    #[arg(long, conflicts_with_all = ["quick", "rounds", "filter", "json", "show"])]
    once: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    if args.once {
        return once(steps);
    }
    steps.step("bench", |sh, root| {
        let page = root.join("target/bench-report/index.html");
        let flags = flags(args, &page.to_string_lossy());
        cmd!(
            sh,
            "cargo run --release --manifest-path {MANIFEST} -- {flags...}"
        )
        .env("CARGO_TARGET_DIR", target_dir(root))
        .run()?;
        Ok(())
    })
}

/// Builds the comparison and runs every workload of it once: do all peers produce the
/// same bytes?
pub(crate) fn once(steps: &mut Steps) -> Result<()> {
    steps.step("peers, once each", |sh, root| {
        Counted::run(
            cmd!(sh, "cargo test --manifest-path {MANIFEST}")
                .env("CARGO_TARGET_DIR", target_dir(root)),
        )
    })
}

fn target_dir(root: &Path) -> PathBuf {
    root.join("target").join("peers")
}

/// What is handed on to the program.
fn flags(args: &Args, page: &str) -> Vec<String> {
    if !args.compare.is_empty() {
        let mut flags = vec!["--compare".to_owned()];
        flags.extend(args.compare.iter().cloned());
        return flags;
    }
    let mut flags = vec!["--html".to_owned(), page.to_owned()];
    if let Some(show) = &args.show {
        flags.extend(["--show".to_owned(), show.clone()]);
    }
    if args.quick {
        flags.push("--quick".to_owned());
    }
    if let Some(rounds) = args.rounds {
        flags.extend(["--rounds".to_owned(), rounds.to_string()]);
    }
    for filter in &args.filter {
        flags.extend(["--filter".to_owned(), filter.clone()]);
    }
    if let Some(json) = &args.json {
        flags.extend(["--json".to_owned(), json.clone()]);
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Args {
        Args {
            quick: false,
            rounds: None,
            filter: Vec::new(),
            json: None,
            show: None,
            compare: Vec::new(),
            once: false,
        }
    }

    #[track_caller]
    fn check(args: &Args, expected: &[&str]) {
        assert_eq!(flags(args, "page"), expected);
    }

    #[test]
    fn what_is_asked_for_is_handed_on() {
        let args = Args {
            quick: true,
            rounds: Some(7),
            filter: vec!["W1 ".to_owned(), "W9".to_owned()],
            ..nothing()
        };
        check(
            &args,
            &[
                "--html", "page", "--quick", "--rounds", "7", "--filter", "W1 ", "--filter", "W9",
            ],
        );
    }

    #[test]
    fn an_earlier_run_is_drawn_and_two_are_compared_without_a_page() {
        let args = Args {
            show: Some("a".to_owned()),
            ..nothing()
        };
        check(&args, &["--html", "page", "--show", "a"]);
        let args = Args {
            compare: vec!["a".to_owned(), "b".to_owned()],
            ..nothing()
        };
        check(&args, &["--compare", "a", "b"]);
    }
}
