//! The tests of the workspace, then the oracle's.

use anyhow::Result;
use xshell::cmd;

use crate::oracle;
use crate::steps::Steps;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Optimised code with overflow checks (profile `release-checked`)
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    workspace(steps, args.release)?;
    oracle::run(
        steps,
        &oracle::Args {
            release: args.release,
        },
    )
}

/// Unit, integration and documentation tests, and each benchmark once.
pub(crate) fn workspace(steps: &mut Steps, release: bool) -> Result<()> {
    let (name, profile): (_, &[&str]) = if release {
        ("test, release", &["--profile", "release-checked"])
    } else {
        ("test", &[])
    };
    steps.step(name, |sh, _| {
        cmd!(sh, "cargo test --workspace --all-features {profile...}").run()?;
        Ok(())
    })?;
    // With `holders` every block is attended: the plain path needs a run of its own.
    steps.step(&format!("{name}, pool without features"), |sh, _| {
        cmd!(sh, "cargo test -p bytesbuf-pool {profile...}").run()?;
        Ok(())
    })?;
    if !release {
        steps.step("benchmarks, once each", |sh, _| {
            cmd!(sh, "cargo test -p bytesbuf-benches --benches").run()?;
            Ok(())
        })?;
    }
    Ok(())
}
