//! The public interface of the libraries, item by item, against the committed listing.
//!
//! The listing is made of what rustdoc knows, so an item that becomes public, changes its
//! bounds or loses `Send` shows as a line, whoever reviews the change sees it, and nobody
//! changes the interface without meaning to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use public_api::{Builder, PublicApi};
use xshell::{Shell, cmd};

use crate::LIBRARIES;
use crate::steps::{Outcome, Steps};
use crate::tools;

/// Paths inside std and the order of items are rustdoc's: listings of two compilers differ
/// where the libraries do not.
const MADE_WITH: &str = "1.97.0-nightly (e50aa6fba 2026-05-19)";

/// Automatic traits that users cannot name.
const UNSTABLE: [&str; 2] = ["core::marker::Freeze", "core::marker::UnsafeUnpin"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write the listings instead of comparing with them
    #[arg(long)]
    record: bool,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    steps.step_if_possible("api", |sh, root| {
        let nightly = match tools::nightly(sh) {
            Ok(nightly) => nightly,
            Err(missing) => return Ok(missing.into()),
        };
        let version = cmd!(sh, "rustup run {nightly} rustc --version").quiet().read()?;
        if !version.contains(MADE_WITH) {
            return Ok(Outcome::NotRun(format!(
                "the listings are by {MADE_WITH}, not {version}; `rustup toolchain install {}` gets it",
                tools::NIGHTLY
            )));
        }
        let mut differences = Vec::new();
        for library in LIBRARIES {
            let now = listing(sh, root, nightly, library)?;
            let path = recorded(root, library);
            if args.record {
                write(&path, &now)?;
                continue;
            }
            let before = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            differences.extend(difference(&before, &now));
        }
        if !differences.is_empty() {
            bail!(
                "the interface is not what docs/api says: {} lines. A `-` may break users. \
                 If it is meant: `cargo xtask api --record`\n{}",
                differences.len(),
                differences.join("\n")
            );
        }
        Ok(Outcome::Passed)
    })
}

fn recorded(root: &Path, library: &str) -> PathBuf {
    root.join("docs").join("api").join(format!("{library}.txt"))
}

fn write(path: &Path, listing: &str) -> Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, listing).with_context(|| format!("cannot write {}", path.display()))
}

/// All that is public in a library with all its features, one item a line.
fn listing(sh: &Shell, root: &Path, nightly: &str, library: &str) -> Result<String> {
    let target = root.join("target").join("api");
    cmd!(
        sh,
        "rustup run {nightly} cargo rustdoc --quiet --lib --all-features -p {library}
         --target-dir {target} -- -Z unstable-options --output-format json --cap-lints allow"
    )
    .run()?;
    let json = format!("{}.json", library.replace('-', "_"));
    let api = Builder::from_rustdoc_json(target.join("doc").join(json))
        .omit_blanket_impls(true)
        .build()
        .with_context(|| format!("cannot read what rustdoc wrote about {library}"))?;
    let listing = lines(&api);
    ensure!(!listing.is_empty(), "{library} has no public items");
    Ok(listing)
}

fn lines(api: &PublicApi) -> String {
    let mut text = String::new();
    for item in api.items() {
        let line = item.to_string();
        if is_stable(&line) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn is_stable(line: &str) -> bool {
    !UNSTABLE.iter().any(|name| line.contains(name))
}

/// `- line` for what is gone, `+ line` for what is new. Neither for what moved.
fn difference(before: &str, now: &str) -> Vec<String> {
    let mut counts = BTreeMap::<&str, i32>::new();
    for line in before.lines() {
        *counts.entry(line).or_default() -= 1;
    }
    for line in now.lines() {
        *counts.entry(line).or_default() += 1;
    }
    let changed = counts.into_iter().filter(|(_, count)| *count != 0);
    changed
        .map(|(line, count)| format!("{} {line}", if count < 0 { '-' } else { '+' }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_and_what_is_new_is_shown() {
        let before = "pub fn a::f()\npub fn a::g()\npub fn a::g()\n";
        let now = "pub fn a::g()\npub fn a::f(u8)\n";
        assert_eq!(
            difference(before, now),
            ["- pub fn a::f()", "+ pub fn a::f(u8)", "- pub fn a::g()"]
        );
        assert!(difference(before, before).is_empty());
        assert!(difference("a\nb", "b\na").is_empty());
    }

    #[test]
    fn unstable_traits_are_left_out() {
        assert!(is_stable("impl core::marker::Send for a::T"));
        assert!(!is_stable("impl core::marker::Freeze for a::T"));
    }

    #[test]
    fn every_library_has_a_listing() {
        for library in LIBRARIES {
            let path = recorded(&crate::workspace_root(), library);
            let text = fs::read_to_string(&path).unwrap();
            let root = format!("pub mod {}", library.replace('-', "_"));
            assert!(text.lines().any(|line| line == root), "{}", path.display());
        }
    }
}
