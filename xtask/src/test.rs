//! The tests of the workspace, then the oracle's.

pub(crate) mod narrow;

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::checked::{self, Counted, Mode};
use crate::oracle;
use crate::steps::{Outcome, Steps, figure, watch};
use crate::tools;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Optimised code with overflow checks (profile `release-checked`)
    #[arg(long)]
    release: bool,
    /// The libraries alone, with pools in which every block is an allocation of its own
    #[arg(long)]
    pass_through: bool,
    /// Each test in a process of its own, killed if it hangs
    #[arg(long, conflicts_with = "pass_through")]
    nextest: bool,
    /// The libraries alone, with pointers of 32 bits
    #[arg(long, conflicts_with_all = ["pass_through", "nextest"])]
    narrow: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    if args.pass_through {
        return pass_through(steps, args.release);
    }
    if args.nextest {
        return killed_if_they_hang(steps, args.release);
    }
    if args.narrow {
        return narrow::run(steps, args.release);
    }
    workspace(steps, args.release)?;
    oracle::run(
        steps,
        &oracle::Args {
            release: args.release,
        },
    )
}

/// Unit and integration tests of the libraries with pools that keep nothing: what
/// memory checkers run, without one. Examples in the documentation show what is kept.
pub(crate) fn pass_through(steps: &mut Steps, release: bool) -> Result<()> {
    let (name, profile) = named("test, pass-through", release);
    // Plain blocks take another path than those of a pool with `holders`.
    for features in [&["--all-features"][..], &[]] {
        let packages = match features {
            [] => vec!["-p", "bytesbuf-pool"],
            _ => checked::packages(None),
        };
        let name = format!(
            "{name}, {}",
            if features.is_empty() {
                "pool without features"
            } else {
                "all features"
            }
        );
        steps.step(&name, |sh, _| {
            let cmd = cmd!(
                sh,
                "cargo test {packages...} {features...} {profile...} --lib --tests --target-dir target/pass-through"
            );
            Counted::run(cmd.env("RUSTFLAGS", checked::rustflags(&[], Mode::PassThrough)))
        })?;
    }
    Ok(())
}

/// Unit, integration and documentation tests, and each benchmark once.
pub(crate) fn workspace(steps: &mut Steps, release: bool) -> Result<()> {
    let (name, profile) = named("test", release);
    steps.step(&name, |sh, _| {
        Counted::run(cmd!(
            sh,
            "cargo test --workspace --all-features {profile...}"
        ))
    })?;
    // With `holders` every block is attended: the plain path needs a run of its own.
    steps.step(&format!("{name}, pool without features"), |sh, _| {
        Counted::run(cmd!(sh, "cargo test -p bytesbuf-pool {profile...}"))
    })?;
    if !release {
        steps.step("benchmarks, once each", |sh, _| {
            let mut run = 0;
            watch(
                cmd!(sh, "cargo test -p bytesbuf-benches --benches"),
                |line| run += usize::from(is_benchmark(line)),
            )?;
            ensure!(run > 0, "no benchmark was run");
            figure(format!("{run} benchmarks"));
            Ok(())
        })?;
    }
    Ok(())
}

/// Optimised code, under nextest if that is to be had.
pub(crate) fn optimised(steps: &mut Steps) -> Result<()> {
    match tools::NEXTEST.get(&steps.sh, steps.root()) {
        Ok(_) => killed_if_they_hang(steps, true),
        Err(missing) => {
            steps.step_if_possible("killing what hangs", |_, _| Ok(missing.into()))?;
            workspace(steps, true)
        }
    }
}

/// Whether criterion says that it has run a benchmark once.
fn is_benchmark(line: &str) -> bool {
    line == "Success"
}

/// Under nextest, which `.config/nextest.toml` tells how long a test may take. It knows
/// nothing of documentation tests: those follow as usual.
fn killed_if_they_hang(steps: &mut Steps, release: bool) -> Result<()> {
    let (name, profile) = named("test", release);
    // `--profile` is another thing there.
    let built = match profile {
        [_, built] => vec!["--cargo-profile", built],
        _ => Vec::new(),
    };
    for flags in [
        &["--workspace", "--all-features"][..],
        &["-p", "bytesbuf-pool"],
    ] {
        let name = format!("{name}, nextest {}", flags.join(" "));
        steps.step_if_possible(&name, |sh, root| {
            let nextest = match tools::NEXTEST.command(sh, root) {
                Ok(nextest) => nextest,
                Err(missing) => return Ok(missing.into()),
            };
            nextest.arg("run").args(flags).args(&built).run()?;
            Ok(Outcome::Passed)
        })?;
    }
    steps.step(&format!("{name}, documentation"), |sh, _| {
        Counted::run(cmd!(
            sh,
            "cargo test --workspace --all-features --doc {profile...}"
        ))
    })
}

/// The name of a step with its profile, and what tells cargo of that.
fn named(name: &str, release: bool) -> (String, &'static [&'static str]) {
    if release {
        (
            format!("{name}, release"),
            &["--profile", "release-checked"],
        )
    } else {
        (name.to_owned(), &[])
    }
}
