//! The scenarios that are too big for loom, under shuttle.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::loom::{POOL, tests_announced};
use crate::steps::{Steps, figure, watch};

/// Executions of each scenario by each scheduler: a minute, all in all.
const ITERATIONS: usize = 20_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Executions of each scenario by each of the schedulers
    #[arg(long, default_value_t = ITERATIONS)]
    iterations: usize,
    /// Other executions than the usual ones
    #[arg(long)]
    seed: Option<u64>,
    /// A schedule that has failed: runs it and nothing else
    #[arg(long, value_name = "FILE", requires = "scenario")]
    replay: Option<PathBuf>,
    /// Only scenarios whose path begins with this: `waiters`, `mixed::everything`
    scenario: Option<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            iterations: ITERATIONS,
            seed: None,
            replay: None,
            scenario: None,
        }
    }
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    steps.step("shuttle", |sh, root| {
        let failures = root.join("target").join("shuttle").join("failures");
        let replay = match &args.replay {
            // Absolute: the tests run elsewhere.
            Some(file) => Some(fs::canonicalize(file).with_context(|| file.display().to_string())?),
            None => {
                make_empty(&failures)?;
                None
            }
        };
        let mut counts = Counts::default();
        let mut cmd = command(sh, args.scenario.as_deref())
            .env("BYTESBUF_SHUTTLE_ITERATIONS", args.iterations.to_string())
            .env("BYTESBUF_SHUTTLE_FAILURES", &failures);
        if let Some(seed) = args.seed {
            cmd = cmd.env("SHUTTLE_RANDOM_SEED", seed.to_string());
        }
        if let Some(file) = replay {
            cmd = cmd.env("BYTESBUF_SHUTTLE_REPLAY", file);
        }
        watch(cmd, |line| counts.note(line))?;
        figure(format!(
            "{} executions of {} scenarios",
            counts.executions, counts.scenarios
        ));
        counts.judge()
    })
}

/// `cargo test` of the scenarios, in the shell's directory. With optimisation and the
/// library's own assertions.
pub(crate) fn command<'a>(sh: &'a Shell, scenario: Option<&str>) -> xshell::Cmd<'a> {
    let filter = filter(scenario);
    // Nothing is captured: a broken pool may end the process, and captured output
    // would go with it.
    cmd!(
        sh,
        "cargo test --release --lib -p {POOL} --target-dir target/shuttle {filter} -- --nocapture"
    )
    .env("RUSTFLAGS", "--cfg bytesbuf_shuttle")
    .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
}

fn filter(scenario: Option<&str>) -> String {
    const MODULE: &str = "shuttle_tests::";
    let scenario = scenario.unwrap_or_default();
    format!("{MODULE}{}", scenario.trim_start_matches(MODULE))
}

/// Schedules of former runs are of no use to this one.
fn make_empty(directory: &Path) -> Result<()> {
    if directory.is_dir() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    Ok(())
}

/// What the tests say that they have run.
#[derive(Debug, Default)]
struct Counts {
    tests: usize,
    scenarios: usize,
    executions: usize,
}

impl Counts {
    fn note(&mut self, line: &str) {
        self.tests += tests_announced(line).unwrap_or(0);
        if let Some(executions) = executions(line) {
            self.scenarios += 1;
            self.executions += executions;
        }
    }

    /// A run without executions passes without having shown anything.
    fn judge(&self) -> Result<()> {
        ensure!(self.tests > 0, "no shuttle test was run");
        ensure!(
            self.scenarios == self.tests && self.executions >= self.scenarios,
            "not all of the shuttle tests have run: {self:?}"
        );
        Ok(())
    }
}

/// The number in a scenario's `executions: 800 of its::name`.
fn executions(line: &str) -> Option<usize> {
    // The harness may have written the name of the test on the line.
    let (_, rest) = line.split_once("executions: ")?;
    let (count, _) = rest.split_once(" of ")?;
    count.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read_from_the_scenarios() {
        assert_eq!(executions("executions: 800 of a::b"), Some(800));
        assert_eq!(executions("test a::b ... executions: 1 of a::b"), Some(1));
        assert_eq!(executions("executions: many of a::b"), None);
        assert_eq!(executions("test a::b ... ok"), None);
    }

    #[test]
    fn a_run_without_executions_fails() {
        let judge = |lines: &[&str]| {
            let mut counts = Counts::default();
            lines.iter().for_each(|line| counts.note(line));
            counts.judge()
        };
        assert!(judge(&[]).is_err());
        assert!(judge(&["running 0 tests"]).is_err());
        assert!(judge(&["running 1 test"]).is_err());
        assert!(judge(&["running 2 tests", "executions: 9 of a"]).is_err());
        assert!(judge(&["running 1 test", "executions: 0 of a"]).is_err());
        assert!(judge(&["running 1 test", "executions: 9 of a"]).is_ok());
    }

    #[test]
    fn only_scenarios_are_run() {
        assert_eq!(filter(None), "shuttle_tests::");
        assert_eq!(filter(Some("waiters")), "shuttle_tests::waiters");
        assert_eq!(filter(Some("shuttle_tests::mixed")), "shuttle_tests::mixed");
    }
}
