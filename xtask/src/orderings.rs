//! Weakens one atomic ordering at a time, in a copy of the workspace, and asks
//! the loom models who notices.
//!
//! A mutant that survives says one of two things: a model is missing, or the
//! ordering is stronger than it needs to be. Nobody may survive in `RefCount`.

mod mutant;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use xshell::Shell;

use crate::loom;
use crate::rust_source;
use crate::steps::Steps;
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

/// A file or directory whose orderings are weakened, and whose models must notice.
struct Target {
    path: &'static str,
    package: &'static str,
    /// A survivor here fails the verb.
    strict: bool,
}

const TARGETS: [Target; 2] = [
    Target {
        path: "crates/bytesbuf-core/src/ref_count.rs",
        package: loom::CORE,
        strict: true,
    },
    Target {
        path: "crates/bytesbuf-pool/src",
        package: loom::POOL,
        strict: false,
    },
];

/// What became of a mutant.
enum Verdict {
    /// Names of the tests that failed; none if the run was aborted.
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
        let mut survivors = 0;
        for target in &TARGETS {
            let mutants = mutants_of(&there, target, args.filter.as_deref())?;
            if mutants.is_empty() {
                continue;
            }
            eprintln!("{}: {} mutants", target.path, mutants.len());
            require_green(&sh, target.package, args.preemptions)?;
            for mutant in &mutants {
                let verdict = try_out(&sh, &there, mutant, target.package, args.preemptions)?;
                let survived = matches!(verdict, Verdict::Survived);
                survivors += usize::from(survived && target.strict);
                let line = describe(mutant, &verdict);
                eprintln!("{line}");
                table.push(line);
            }
        }
        ensure!(!table.is_empty(), "nothing to weaken; wrong filter?");
        println!("\n{}", table.join("\n"));
        ensure!(
            survivors == 0,
            "{survivors} weakened orderings of RefCount went unnoticed"
        );
        Ok(())
    })
}

/// All mutants of the files of a target, in the order of the files.
fn mutants_of(root: &Path, target: &Target, filter: Option<&str>) -> Result<Vec<Mutant>> {
    let path = root.join(target.path);
    let files = if path.is_file() {
        vec![path]
    } else {
        rust_source::files(&path)?
    };
    let mut mutants = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(root)?
            .to_string_lossy()
            .replace('\\', "/");
        let is_test = name.contains("/model_tests/") || name.ends_with("tests.rs");
        if is_test || filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        mutants.extend(mutant::find(&name, &text)?);
    }
    Ok(mutants)
}

/// Models that fail without a mutant prove nothing.
fn require_green(sh: &Shell, package: &str, preemptions: u32) -> Result<()> {
    loom::command(sh, package, preemptions, &[])
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
    let run = loom::command(sh, package, preemptions, &[])
        .quiet()
        .ignore_status()
        .output()?;
    if run.status.success() {
        return Ok(Verdict::Survived);
    }
    let stdout = String::from_utf8_lossy(&run.stdout);
    Ok(Verdict::Caught(failed_tests(&stdout)))
}

/// Last parts of the names in the test harness's `test a::b ... FAILED`.
fn failed_tests(stdout: &str) -> Vec<String> {
    let names = stdout.lines().filter_map(|line| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some(name.rsplit("::").next().unwrap_or(name).to_owned())
    });
    names.collect()
}

fn describe(mutant: &Mutant, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Survived => format!("{mutant}  survived"),
        Verdict::Caught(by) if by.is_empty() => format!("{mutant}  caught (run aborted)"),
        Verdict::Caught(by) => format!("{mutant}  caught by {}", by.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_are_read_from_the_harness() {
        let stdout = "test a::b::one ... FAILED\ntest two ... ok\ntest result: FAILED. 1 passed";
        assert_eq!(failed_tests(stdout), ["one"]);
    }

    #[test]
    fn the_last_release_is_among_the_targets() {
        let found = mutants_of(&crate::workspace_root(), &TARGETS[0], None).unwrap();
        let all: Vec<String> = found.iter().map(ToString::to_string).collect();
        for change in ["Release -> Relaxed", "Acquire -> Relaxed", "fence removed"] {
            assert!(
                all.iter().any(|line| line.contains(change)),
                "no {change} in {all:?}"
            );
        }
    }
}
