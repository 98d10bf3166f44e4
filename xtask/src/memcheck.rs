//! Optimised test programs of the libraries under valgrind's memcheck, in pass-through
//! mode.
//!
//! Slow, and late: it sees a use after free only while valgrind keeps the memory back.
//! But it sees the machine code that users run, and it knows of each bit whether it was
//! ever written.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Message, camino::Utf8PathBuf};
use xshell::{Shell, cmd};

use crate::checked::{self, Counted, Mode};
use crate::steps::{Outcome, Steps, figure};

const DIR: &str = "target/memcheck";
const PROFILE: &str = "release-checked";

/// What valgrind ends with if it has found something.
const FOUND: &str = "--error-exitcode=99";

/// Test programs that are not for valgrind, and why.
const NOT_FOR_IT: [(&str, &str); 2] = [
    ("relay_cli", "starts the example as a process of its own"),
    (
        "rss",
        "asks the system for resident memory, which is valgrind's",
    ),
];

/// Programs about what pools in pass-through mode do not do: empty there.
const ONLY_POOLED: [&str; 2] = ["depot_figures", "kept_slabs"];

/// Tests that are left out: program, beginning of the name, and why.
const LEFT_OUT: [(&str, &str, &str); 1] = [(
    "faults",
    "fork::",
    "a forked child has lost what the other threads held, which is a leak to memcheck",
)];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the test programs of this name: `it`, or `bytesbuf_pool` for its unit tests
    program: Option<String>,
    /// One package
    #[arg(long, short)]
    package: Option<String>,
    /// What the test programs are to be told, such as a filter
    #[arg(last = true)]
    tests: Vec<String>,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    if cmd!(steps.sh, "valgrind --version").quiet().read().is_err() {
        return steps.step_if_possible("memcheck", |_, _| {
            Ok(Outcome::NotRun("valgrind is not installed".to_owned()))
        });
    }
    let mut programs = Vec::new();
    steps.step("memcheck, build", |sh, _| {
        programs = build(sh, args.package.as_deref())?;
        let wanted =
            |program: &Program| args.program.as_ref().is_none_or(|it| *it == program.target);
        programs.retain(wanted);
        for (name, why) in NOT_FOR_IT {
            let count = programs.len();
            programs.retain(|program| program.target != name);
            if programs.len() < count {
                figure(format!("without {name}, which {why}"));
            }
        }
        ensure!(!programs.is_empty(), "no test program matches");
        Ok(())
    })?;
    let mut passed = 0;
    for program in &programs {
        steps.step(&format!("memcheck, {}", program.name), |sh, _| {
            let of_program = check(sh, program, &args.tests)?;
            let may_be_empty =
                !args.tests.is_empty() || ONLY_POOLED.contains(&program.target.as_str());
            ensure!(of_program > 0 || may_be_empty, "no test was run");
            passed += of_program;
            Ok(())
        })?;
    }
    ensure!(passed > 0, "no test was run");
    Ok(())
}

/// A test program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Program {
    /// Package and target.
    name: String,
    target: String,
    path: Utf8PathBuf,
    /// Of the package: where its tests expect to be.
    dir: Utf8PathBuf,
}

fn build(sh: &Shell, package: Option<&str>) -> Result<Vec<Program>> {
    let packages = checked::packages(package);
    let messages = cmd!(
        sh,
        "cargo test {packages...} --all-features --lib --tests --no-run
         --profile {PROFILE} --target-dir {DIR} --message-format=json-render-diagnostics"
    )
    .env("RUSTFLAGS", checked::rustflags(&[], Mode::PassThrough))
    .read()?;
    let programs = programs(&messages)?;
    ensure!(!programs.is_empty(), "cargo has built no test program");
    Ok(programs.into_iter().collect())
}

/// The test programs that cargo says it has built.
fn programs(messages: &str) -> Result<BTreeSet<Program>> {
    let mut programs = BTreeSet::new();
    for message in Message::parse_stream(messages.as_bytes()) {
        let Message::CompilerArtifact(artifact) = message? else {
            continue;
        };
        let Some(path) = artifact.executable.filter(|_| artifact.profile.test) else {
            continue;
        };
        let dir = artifact
            .manifest_path
            .parent()
            .context("a manifest is in a directory")?
            .to_owned();
        let package = dir.file_name().context("a package has a directory")?;
        programs.insert(Program {
            name: format!("{package} {}", artifact.target.name),
            target: artifact.target.name,
            path,
            dir,
        });
    }
    Ok(programs)
}

/// Returns how many tests have passed.
fn check(sh: &Shell, program: &Program, tests: &[String]) -> Result<usize> {
    let (path, _dir) = (&program.path, sh.push_dir(&program.dir));
    let left_out = LEFT_OUT
        .iter()
        .filter(|(target, ..)| *target == program.target);
    let mut skip = Vec::new();
    for (_, tests, why) in left_out {
        eprintln!("not run: {tests} ({why})");
        skip.extend(["--skip", tests]);
    }
    // Threads of the harness take turns under valgrind; one is as fast as many, and its
    // output stays in order. Memory that is only reachable at the end is the harness's.
    let cmd = cmd!(
        sh,
        "valgrind --quiet {FOUND} --leak-check=full --show-leak-kinds=definite,indirect
         --errors-for-leak-kinds=definite,indirect --num-callers=30 {path} --test-threads=1 {skip...} {tests...}"
    );
    Counted::run_any(cmd).context("99: memcheck has found something; another number: a test failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/crates/one#0.1.0","manifest_path":"/w/crates/one/Cargo.toml","target":{"kind":["test"],"crate_types":["bin"],"name":"it","src_path":"/w/crates/one/tests/it/main.rs","edition":"2024","doc":false,"doctest":false,"test":true},"profile":{"opt_level":"3","debuginfo":0,"debug_assertions":false,"overflow_checks":true,"test":true},"features":[],"filenames":["/w/target/it-1"],"executable":"/w/target/it-1","fresh":true}
{"reason":"compiler-artifact","package_id":"path+file:///w/crates/one#0.1.0","manifest_path":"/w/crates/one/Cargo.toml","target":{"kind":["lib"],"crate_types":["lib"],"name":"one","src_path":"/w/crates/one/src/lib.rs","edition":"2024","doc":true,"doctest":true,"test":true},"profile":{"opt_level":"3","debuginfo":0,"debug_assertions":false,"overflow_checks":true,"test":false},"features":[],"filenames":["/w/target/libone.rlib"],"executable":null,"fresh":true}
{"reason":"build-finished","success":true}"#;

    #[test]
    fn test_programs_are_found_among_what_was_built() {
        let programs = programs(MESSAGES).unwrap();
        let program = programs.first().unwrap();
        assert_eq!(programs.len(), 1);
        assert_eq!(
            (program.name.as_str(), program.path.as_str()),
            ("one it", "/w/target/it-1")
        );
        assert_eq!(program.dir, "/w/crates/one");
    }
}
