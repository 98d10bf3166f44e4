//! Differential tests: ours against the published 0.4.2 and a `Vec<u8>`.
//!
//! The oracle is a workspace of its own, so that a published crate of our name
//! never enters the root lock file.

use std::path::Path;

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::checked::Counted;
use crate::steps::Steps;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Optimised code with overflow checks (profile `release-checked`)
    #[arg(long)]
    pub(crate) release: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let (name, flags): (_, &[&str]) = if args.release {
        ("oracle, release", &["--profile", "release-checked"])
    } else {
        ("oracle", &[])
    };
    steps.step(name, |sh, root| {
        test_outside(sh, root, "crates/oracle/Cargo.toml", flags)
    })
}

/// Tests a workspace that the root one excludes, in a target directory that all
/// of those share.
pub(crate) fn test_outside(sh: &Shell, root: &Path, manifest: &str, flags: &[&str]) -> Result<()> {
    ensure!(root.join(manifest).is_file(), "{manifest} is missing");
    Counted::run(
        cmd!(sh, "cargo test --manifest-path {manifest} {flags...}")
            .env("CARGO_TARGET_DIR", root.join("target").join("oracle")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_workspace_is_an_error() {
        let sh = Shell::new().unwrap();
        let root = crate::workspace_root();
        let error = test_outside(&sh, &root, "crates/nowhere/Cargo.toml", &[]).unwrap_err();
        assert_eq!(error.to_string(), "crates/nowhere/Cargo.toml is missing");
    }
}
