//! Instructions and atomic read-modify-writes of the hot paths, against committed counts.
//!
//! Counting is gungraun's and callgrind's: `benches/counts` has a function for each path,
//! run for two lengths; what one operation takes is the difference over the difference.
//! Counts do not depend on what else the machine does, but on the compiler, on valgrind and
//! on the C library. Under others than those of the baselines nothing is compared.

mod baselines;
mod callgrind;
mod tools;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use self::baselines::{Baselines, Counts, TakenWith};
use self::callgrind::{Atomics, Profile};
use self::tools::{install_runner, runner, taken_with};
use crate::steps::{Outcome, Steps};

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Verb {
    /// Fails if a path takes more than 2 % more instructions than recorded, or more atomics
    Check,
    /// Counts, and writes what it found to benches/counts/baselines.txt
    Record,
}

const MANIFEST: &str = "benches/counts/Cargo.toml";
const BASELINES: &str = "benches/counts/baselines.txt";

/// Where gungraun puts what callgrind wrote: below this, package, bench and group.
const HOME: &str = "target/counts/gungraun";
const GROUP: &str = "bytesbuf-counts/paths/paths";

/// Operations between the short and the long run of a path: as in `benches/counts/src/lib.rs`.
const OPERATIONS: f64 = 4096.0;

/// At most so many instructions and atomic read-modify-writes of an operation are asked for.
/// Printed beside the counts; a path that was over them before does not fail the check.
const TARGETS: [(&str, Option<f64>, Option<f64>); 15] = [
    ("w1_64", Some(100.0), Some(0.0)),
    ("w1_1k", Some(100.0), Some(0.0)),
    ("w1_64k", Some(100.0), Some(0.0)),
    ("w2_in_place", Some(200.0), Some(0.0)),
    ("w2_moved", Some(200.0), Some(0.0)),
    ("w2_by_value", Some(200.0), Some(0.0)),
    ("w2_new_reserve", Some(200.0), Some(0.0)),
    ("w2s", Some(150.0), Some(1.0)),
    ("w3_1", Some(30.0), Some(2.0)),
    ("w3_16", Some(30.0), Some(2.0)),
    ("w4", Some(45.0), Some(2.0)),
    ("w11", None, Some(2.0)),
    ("w11_blocks", None, Some(2.0)),
    ("w11v", None, Some(1.0)),
    ("w12", Some(250.0), None),
];

pub(crate) fn run(steps: &mut Steps, args: Args) -> Result<()> {
    match args.verb {
        Verb::Check => check(steps),
        Verb::Record => record(steps),
    }
}

pub(crate) fn check(steps: &mut Steps) -> Result<()> {
    steps.step("counts, once each", |sh, root| {
        cmd!(sh, "cargo test --quiet --manifest-path {MANIFEST} --lib")
            .env("CARGO_TARGET_DIR", root.join("target/counts"))
            .run()?;
        Ok(())
    })?;
    steps.step_if_possible("perf check", |sh, root| {
        let recorded = fs::read_to_string(root.join(BASELINES)).context(BASELINES)?;
        let recorded = Baselines::parse(&recorded).context(BASELINES)?;
        let here = match taken_with(sh)? {
            Ok(here) => here,
            Err(why) => return Ok(Outcome::NotRun(why)),
        };
        if let Some(why) = recorded.taken_with.differs_from(&here) {
            return Ok(Outcome::NotRun(why));
        }
        if let Some(why) = install_runner(sh, root)? {
            return Ok(Outcome::NotRun(why));
        }
        let now = count(sh, root, here)?;
        print(&now);
        let found = recorded.compare(&now);
        for sentence in &found.better {
            println!("FEWER: {sentence}");
        }
        for sentence in &found.worse {
            println!("MORE: {sentence}");
        }
        ensure!(
            found.worse.is_empty(),
            "counts rose: {}",
            found.worse.join("; ")
        );
        // Else the way back up would be free, and a path that is no longer taken would pass.
        ensure!(
            found.better.is_empty(),
            "counts fell; if that is meant, `cargo xtask perf record`: {}",
            found.better.join("; ")
        );
        Ok(Outcome::Passed)
    })
}

fn record(steps: &mut Steps) -> Result<()> {
    steps.step_if_possible("perf record", |sh, root| {
        let here = match taken_with(sh)? {
            Ok(here) => here,
            Err(why) => return Ok(Outcome::NotRun(why)),
        };
        if let Some(why) = install_runner(sh, root)? {
            return Ok(Outcome::NotRun(why));
        }
        let now = count(sh, root, here)?;
        print(&now);
        fs::write(root.join(BASELINES), now.text()).context(BASELINES)?;
        println!("wrote {BASELINES}");
        Ok(Outcome::Passed)
    })
}

/// Runs all paths under callgrind.
fn count(sh: &Shell, root: &Path, taken_with: TakenWith) -> Result<Baselines> {
    let home = root.join(HOME);
    if home.exists() {
        // What an earlier run left must not be taken for this one's.
        fs::remove_dir_all(&home)?;
    }
    cmd!(
        sh,
        "cargo bench --quiet --manifest-path {MANIFEST} -- --home={home} --nosummary"
    )
    .env("CARGO_TARGET_DIR", root.join("target/counts"))
    .env("GUNGRAUN_RUNNER", runner(root))
    .ignore_stdout()
    .run()?;
    let mut atomics = Atomics::new(sh);
    let mut paths = BTreeMap::new();
    for entry in fs::read_dir(home.join(GROUP))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some(path) = name.strip_suffix(".long") else {
            continue;
        };
        let short = profile(&home, &format!("{path}.short"))?;
        let long = profile(&home, &format!("{path}.long"))?;
        let each = |long: u64, short: u64| rounded((long as f64 - short as f64) / OPERATIONS);
        let counts = Counts {
            instructions: each(long.instructions(), short.instructions()),
            atomics: each(long.atomics(&mut atomics)?, short.atomics(&mut atomics)?),
        };
        ensure!(counts.instructions > 0.0, "{path}: nothing was executed");
        paths.insert(path.to_owned(), counts);
    }
    if paths.is_empty() {
        bail!("nothing was counted");
    }
    Ok(Baselines { taken_with, paths })
}

fn profile(home: &Path, run: &str) -> Result<Profile> {
    let file = home.join(GROUP).join(run);
    let file = file.join(format!("callgrind.{run}.out"));
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Profile::parse(&text).with_context(|| file.display().to_string())
}

/// As it is written.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn print(now: &Baselines) {
    println!("path              instructions      rmw");
    for (path, counts) in &now.paths {
        println!("{path:18}{counts}{}", over_target(path, *counts));
    }
}

/// What is asked for, where it is not reached.
fn over_target(path: &str, counts: Counts) -> String {
    let target = TARGETS.iter().find(|(name, ..)| *name == path);
    let Some(&(_, instructions, atomics)) = target else {
        return String::new();
    };
    let mut over = Vec::new();
    if let Some(most) = instructions.filter(|most| counts.instructions > *most) {
        over.push(format!("at most {most} instructions"));
    }
    if let Some(most) = atomics.filter(|most| counts.atomics > *most) {
        over.push(format!("at most {most} rmw"));
    }
    if over.is_empty() {
        return String::new();
    }
    format!("   target: {}", over.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_are_those_of_the_benches() {
        let source = crate::workspace_root().join("benches/counts/src/lib.rs");
        let source = fs::read_to_string(source).unwrap();
        let line = format!("pub const LONG: usize = SHORT + {OPERATIONS};");
        assert!(source.contains(&line), "{line}");
    }

    #[test]
    fn every_path_of_the_benches_has_a_baseline_and_every_target_a_path() {
        let root = crate::workspace_root();
        let recorded = fs::read_to_string(root.join(BASELINES)).unwrap();
        let recorded = Baselines::parse(&recorded).unwrap();
        let source = fs::read_to_string(root.join("benches/counts/benches/paths.rs")).unwrap();
        let paths: Vec<&str> = source
            .lines()
            .filter_map(|line| line.strip_prefix("fn ")?.split_once('('))
            .map(|(path, _)| path)
            .collect();
        let mut sorted = paths.clone();
        sorted.sort_unstable();
        assert_eq!(recorded.paths.keys().collect::<Vec<_>>(), sorted);
        for (path, ..) in TARGETS {
            assert!(paths.contains(&path), "{path}");
        }
    }

    #[test]
    fn only_what_is_over_its_target_says_so() {
        let counts = |instructions, atomics| Counts {
            instructions,
            atomics,
        };
        assert_eq!(over_target("w4", counts(45.0, 2.0)), "");
        assert_eq!(
            over_target("w4", counts(46.0, 2.1)),
            "   target: at most 45 instructions, at most 2 rmw"
        );
        assert_eq!(over_target("w7", counts(1e6, 9.0)), "");
    }
}
