//! Weakens one atomic ordering at a time, in a copy of the workspace, and asks
//! the loom models who notices.
//!
//! A mutant that survives says one of two things: a model is missing, or the
//! ordering is stronger than it needs to be. One survivor fails the verb.

mod mutant;
#[cfg(test)]
mod partner;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use xshell::Shell;

use crate::loom::{self, MODELS};
use crate::rust_source;
use crate::steps::{Steps, figure};
use crate::workspace_copy;
use mutant::Mutant;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often a thread may be preempted in one execution
    #[arg(long, default_value_t = 2)]
    preemptions: u32,
    /// Only files whose path contains this
    filter: Option<String>,
}

/// A directory whose orderings are weakened, and whose models must notice: those of
/// its own package.
struct Target {
    path: &'static str,
    package: &'static str,
}

const TARGETS: [Target; 3] = [
    Target {
        path: "crates/bytesbuf-core/src",
        package: loom::CORE,
    },
    Target {
        path: "crates/bytesbuf-pool/src",
        package: loom::POOL,
    },
    Target {
        path: "crates/bytesbuf/src",
        package: loom::FACADE,
    },
];

/// What became of a mutant.
enum Verdict {
    /// Names of the tests that failed, one at least.
    Caught(Vec<String>),
    Survived,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    steps.step("orderings", |_, root| {
        let there = root.join("target").join("orderings");
        workspace_copy::refresh(root, &there)?;
        let sh = Shell::new()?;
        sh.change_dir(&there);

        let mut table = Vec::new();
        let (mut tried, mut survivors) = (0, 0);
        for target in &TARGETS {
            let (mutants, skipped) = mutants_of(&there, target, args.filter.as_deref())?;
            eprintln!("{}: {} mutants", target.path, mutants.len());
            table.extend(skipped);
            if mutants.is_empty() {
                continue;
            }
            tried += mutants.len();
            require_green(&sh, target.package, args.preemptions)?;
            for mutant in &mutants {
                let verdict = try_out(&sh, &there, mutant, target.package, args.preemptions)?;
                survivors += usize::from(matches!(verdict, Verdict::Survived));
                let line = describe(mutant, &verdict);
                eprintln!("{line}");
                table.push(line);
            }
        }
        ensure!(tried > 0, "nothing to weaken; wrong filter?");
        println!("\n{}", table.join("\n"));
        figure(format!("{tried} mutants, {survivors} survived"));
        ensure!(
            survivors == 0,
            "{survivors} weakened orderings went unnoticed"
        );
        Ok(())
    })
}

/// All mutants of the files of a target, in the order of the files, and what no model
/// can judge.
fn mutants_of(
    root: &Path,
    target: &Target,
    filter: Option<&str>,
) -> Result<(Vec<Mutant>, Vec<String>)> {
    let mut mutants = Vec::new();
    let mut skipped = Vec::new();
    for file in rust_source::files(&root.join(target.path))? {
        let name = file
            .strip_prefix(root)?
            .to_string_lossy()
            .replace('\\', "/");
        let is_test = name.contains("_tests/") || name.ends_with("tests.rs");
        if is_test || filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        let found = mutant::find(&name, &text)?;
        mutants.extend(found.mutants);
        for line in found.compiler_fences {
            let why = "not a mutant: compiler fence, and loom has no compiler";
            skipped.push(format!("{name}:{line}  {why}"));
        }
    }
    Ok((mutants, skipped))
}

/// Models that fail without a mutant prove nothing.
fn require_green(sh: &Shell, package: &str, preemptions: u32) -> Result<()> {
    loom::command(sh, package, preemptions, &[MODELS])
        .run()
        .with_context(|| format!("the models of {} fail as they are", package))
}

fn try_out(
    sh: &Shell,
    root: &Path,
    mutant: &Mutant,
    package: &str,
    preemptions: u32,
) -> Result<Verdict> {
    let path = root.join(&mutant.file);
    let original = fs::read_to_string(&path)?;
    fs::write(&path, mutant.apply(&original))?;
    let verdict = run_models(sh, package, preemptions);
    fs::write(&path, original)?;
    verdict.with_context(|| format!("{mutant}"))
}

fn run_models(sh: &Shell, package: &str, preemptions: u32) -> Result<Verdict> {
    // A mutant that does not compile would look as if a model had caught it.
    let build = loom::command(sh, package, preemptions, &["--no-run"])
        .quiet()
        .ignore_status()
        .output()?;
    if !build.status.success() {
        bail!(
            "does not compile:\n{}",
            String::from_utf8_lossy(&build.stderr)
        );
    }
    // Nothing is captured: a panic in a destructor ends the process, and what the
    // harness had captured would go with it.
    let run = loom::command(sh, package, preemptions, &[MODELS, "--", "--nocapture"])
        .quiet()
        .ignore_status()
        .output()?;
    if run.status.success() {
        return Ok(Verdict::Survived);
    }
    let stderr = String::from_utf8_lossy(&run.stderr);
    let caught_by = panicked_tests(&stderr);
    // Without memory, or on a full disk, a run fails as well.
    ensure!(
        !caught_by.is_empty(),
        "the run failed ({}), and no model panicked:\n{stderr}",
        run.status
    );
    Ok(Verdict::Caught(caught_by))
}

/// Last parts of the names in `thread 'a::b' (17) panicked at`, each once: the test
/// harness names a thread after its test.
fn panicked_tests(stderr: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in stderr.lines().filter(|line| line.contains(" panicked at ")) {
        let quoted = line
            .trim_start()
            .strip_prefix("thread '")
            .and_then(|rest| rest.split_once('\''));
        let Some((path, _)) = quoted else {
            continue;
        };
        let name = path.rsplit("::").next().unwrap_or(path).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn describe(mutant: &Mutant, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Survived => format!("{mutant}  survived"),
        Verdict::Caught(by) => format!("{mutant}  caught by {}", by.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_are_read_from_the_panics() {
        let stderr = "thread 'a::b::one' (7) panicked at src/a.rs:1:2:\nno\n\
                      thread 'two' panicked at src/a.rs:3:4:\n\
                      thread 'a::b::one' (7) panicked at library/core:233:5:\n\
                      thread caused non-unwinding panic. aborting.";
        assert_eq!(panicked_tests(stderr), ["one", "two"]);
        assert!(panicked_tests("error: could not compile").is_empty());
    }

    #[test]
    fn the_last_release_is_among_the_targets() {
        let (found, _) = mutants_of(&crate::workspace_root(), &TARGETS[0], None).unwrap();
        let all: Vec<String> = found.iter().map(ToString::to_string).collect();
        for change in ["Release -> Relaxed", "Acquire -> Relaxed", "fence removed"] {
            assert!(
                all.iter().any(|line| line.contains(change)),
                "no {change} in {all:?}"
            );
        }
    }

    #[test]
    fn what_is_left_alone_is_named() {
        let (_, skipped) = mutants_of(&crate::workspace_root(), &TARGETS[1], None).unwrap();
        assert!(
            skipped
                .iter()
                .any(|line| line.starts_with("crates/bytesbuf-pool/src/barrier.rs:")),
            "{skipped:?}"
        );
    }
}
