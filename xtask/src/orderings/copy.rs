//! A copy of the workspace to break.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What a build of the libraries and their models reads.
const PARTS: [&str; 5] = ["Cargo.toml", "Cargo.lock", "crates", "benches", "xtask"];

/// Makes `to` a copy of the workspace at `from`, with the build products that a
/// former run left in `to`.
pub(super) fn workspace(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for part in PARTS {
        let (from, to) = (from.join(part), to.join(part));
        if to.is_dir() {
            fs::remove_dir_all(&to)?;
        }
        if from.exists() {
            copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != "target" {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
