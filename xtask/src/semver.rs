//! Whether users of the published 0.4.2, and of our last release, can take this tree in
//! its place.
//!
//! `api` shows each change of the interface; this judges them by cargo's rules for
//! compatible releases. The tool looks at one crate at a time and does not see what the
//! facade passes on from core and pool. So an item that it misses in the facade is let
//! pass if docs/api lists it as passed on; that what is behind it has kept its form is
//! compiled in `tests/surface.rs` of the oracle.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::MetadataCommand;
use cargo_metadata::camino::Utf8PathBuf;
use xshell::{Cmd, Shell, cmd};

use crate::steps::{Outcome, Steps, figure};
use crate::tools;
use crate::{LIBRARIES, library_args};

const FACADE: &str = "bytesbuf";
/// The release whose users are to switch by changing one line.
const REPLACED: &str = "0.4.2";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also compare with this commit [default: the newest release, a tag that begins with `v`]
    #[arg(long)]
    since: Option<String>,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let name = format!("semver, the published {REPLACED}");
    steps.step_if_possible(&name, |sh, root| {
        let listing = root.join("docs").join("api").join(format!("{FACADE}.txt"));
        let listing = fs::read_to_string(&listing)
            .with_context(|| format!("cannot read {}", listing.display()))?;
        let published = published(sh, root)?;
        let checks = match tools::SEMVER_CHECKS.command(sh, root) {
            Ok(checks) => checks,
            Err(missing) => return Ok(missing.into()),
        };
        let checks = checks
            .args(["check-release", "-p", FACADE, "--all-features"])
            .arg("--baseline-root")
            .arg(published);
        check(checks, 1, &listing)
    })?;
    steps.step_if_possible("semver, the last release", |sh, root| {
        let Some(since) = args.since.clone().or_else(|| newest_release(sh)) else {
            return Ok(Outcome::NotRun(
                "there is no release yet, no tag `v*`; `--since` names a commit".to_owned(),
            ));
        };
        let object = format!("{since}^{{commit}}");
        let commit = cmd!(sh, "git rev-parse --verify --quiet {object}").read();
        let commit = commit.with_context(|| format!("`{since}` is not a commit"))?;
        let checks = match tools::SEMVER_CHECKS.command(sh, root) {
            Ok(checks) => checks,
            Err(missing) => return Ok(missing.into()),
        };
        let checks = checks.arg("check-release").args(library_args()).args([
            "--all-features",
            "--baseline-rev",
            &commit,
        ]);
        // Both sides pass on alike.
        check(checks, LIBRARIES.len(), "")
    })
}

/// The directory of the published sources, which the oracle's tests are built against.
fn published(sh: &Shell, root: &Path) -> Result<Utf8PathBuf> {
    let manifest = root.join("crates").join("oracle").join("Cargo.toml");
    cmd!(
        sh,
        "cargo fetch --locked --quiet --manifest-path {manifest}"
    )
    .run()?;
    let metadata = MetadataCommand::new().manifest_path(&manifest).exec()?;
    let mut packages = metadata.packages.iter();
    let package = packages
        .find(|package| package.name == FACADE && package.version.to_string() == REPLACED)
        .with_context(|| format!("{} has no {FACADE} {REPLACED}", manifest.display()))?;
    let dir = package.manifest_path.parent();
    Ok(dir.context("a manifest without a directory")?.to_owned())
}

fn newest_release(sh: &Shell) -> Option<String> {
    let tag = cmd!(sh, "git describe --tags --abbrev=0 --match v*");
    tag.quiet().ignore_stderr().read().ok()
}

fn check(checks: Cmd<'_>, libraries: usize, listing: &str) -> Result<Outcome> {
    // What the next 0.4 may bring: new items, and nothing that breaks a user.
    let checks = checks.args(["--release-type", "minor"]).ignore_status();
    eprintln!("$ {checks}");
    let output = checks.quiet().output()?;
    // The failures are on the one, what was done on the other.
    let said = [output.stdout, output.stderr].join(b"\n\n".as_slice());
    let said = String::from_utf8_lossy(&said);
    eprint!("{said}");
    judge(output.status.success(), &said, libraries, listing)?;
    Ok(Outcome::Passed)
}

/// A library that was not looked at is not one that is compatible.
fn judge(success: bool, said: &str, libraries: usize, listing: &str) -> Result<()> {
    let verdicts: Vec<_> = said.lines().filter_map(verdict).collect();
    for verdict in &verdicts {
        figure(verdict);
    }
    let failures = failures(said);
    let (passed_on, broken): (Vec<&str>, Vec<&str>) = failures
        .iter()
        .copied()
        .partition(|failure| is_passed_on(failure, listing));
    ensure!(
        broken.is_empty(),
        "this breaks users:\n{}",
        broken.join("\n")
    );
    if verdicts.len() != libraries || success != failures.is_empty() {
        bail!("it was not compared to the end: {verdicts:?} for {libraries} libraries");
    }
    if !passed_on.is_empty() {
        figure(format!(
            "{} items from core, not seen by it",
            passed_on.len()
        ));
    }
    Ok(())
}

/// `     Checked [   0.1s] 196 checks: 195 pass, 1 fail` and so on.
fn verdict(line: &str) -> Option<&str> {
    let (_, rest) = line.trim().strip_prefix("Checked [")?.split_once("] ")?;
    Some(rest)
}

/// Lines below `Failed in:`, up to an empty one.
fn failures(said: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_failure = false;
    for line in said.lines().map(str::trim) {
        if line == "Failed in:" {
            is_failure = true;
        } else if line.is_empty() {
            is_failure = false;
        } else if is_failure {
            found.push(line);
        }
    }
    found
}

/// Whether `struct a::b::C, previously in file ...` is in the listing as `pub use a::b::C`.
fn is_passed_on(failure: &str, listing: &str) -> bool {
    let item = failure.split_once(", previously in file ");
    let path = item.and_then(|(item, _)| item.split_once(' '));
    path.is_some_and(|(_, path)| {
        let line = format!("pub use {path}");
        listing.lines().any(|listed| listed == line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "    Checked [   0.109s] 3 checks: 3 pass, 1 skip\n\
                       \x20    Checked [   1.0s] 2 checks: 2 pass\n";
    const MISSING: &str = "    Checked [   0.1s] 3 checks: 2 pass, 1 fail\n\n\
                           Failed in:\n  struct a::b::C, previously in file /c.rs:3\n\n  Summary\n";

    #[test]
    fn the_checks_of_each_library_are_counted() {
        let line = "  Checked [   0.1s] 3 checks: 3 pass";
        assert_eq!(verdict(line), Some("3 checks: 3 pass"));
        assert_eq!(verdict("  Checking bytesbuf v0.4.10"), None);
        judge(true, TWO, 2, "").unwrap();
    }

    #[test]
    fn what_was_not_compared_has_not_passed() {
        for (success, said, libraries) in [(true, "", 1), (true, TWO, 3), (false, TWO, 2)] {
            let error = judge(success, said, libraries, "").unwrap_err().to_string();
            assert!(error.starts_with("it was not compared"), "{error}");
        }
    }

    #[test]
    fn an_item_that_is_gone_breaks_users() {
        for listing in ["", "pub use a::b::Cat\npub struct a::b::C"] {
            let error = judge(false, MISSING, 1, listing).unwrap_err().to_string();
            let expected = "this breaks users:\nstruct a::b::C, previously in file /c.rs:3";
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn an_item_that_is_passed_on_is_not_gone() {
        judge(false, MISSING, 1, "pub mod a\npub use a::b::C\n").unwrap();
    }
}
