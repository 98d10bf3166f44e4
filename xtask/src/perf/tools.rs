//! What counting needs: valgrind, a disassembler, and gungraun's runner.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::MANIFEST;
use super::baselines::TakenWith;

/// Where programs are installed that the verbs need at one version.
const TOOLS: &str = "target/tools";

/// The program that starts valgrind for the benches.
pub(super) fn runner(root: &Path) -> PathBuf {
    root.join(TOOLS).join("bin/gungraun-runner")
}

/// What counts depend on here, or what is missing to count at all.
pub(super) fn taken_with(sh: &Shell) -> Result<std::result::Result<TakenWith, String>> {
    let rustc = cmd!(sh, "rustc --version --verbose").quiet().read()?;
    let target = field(&rustc, "host: ")?;
    if !target.starts_with("x86_64-") {
        return Ok(Err(format!(
            "atomic instructions are recognised on x86-64 only, this is {target}"
        )));
    }
    let Ok(valgrind) = cmd!(sh, "valgrind --version")
        .quiet()
        .ignore_stderr()
        .read()
    else {
        return Ok(Err(
            "no valgrind; the package of that name has it".to_owned()
        ));
    };
    if cmd!(sh, "objdump --version").quiet().read().is_err() {
        return Ok(Err("no objdump; the package `binutils` has it".to_owned()));
    }
    let libc = cmd!(sh, "getconf GNU_LIBC_VERSION")
        .quiet()
        .ignore_stderr()
        .read()
        .unwrap_or_else(|_| "unknown".to_owned());
    Ok(Ok(TakenWith {
        rustc: field(&rustc, "rustc ")?.to_owned(),
        target: target.to_owned(),
        valgrind: valgrind.trim_start_matches("valgrind-").to_owned(),
        libc,
    }))
}

fn field<'a>(text: &'a str, key: &str) -> Result<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .with_context(|| format!("rustc does not say `{key}`"))
}

/// Sees to it that the runner is there, of exactly the version of the library; `Some` says why
/// it is not.
pub(super) fn install_runner(sh: &Shell, root: &Path) -> Result<Option<String>> {
    let version = gungraun_version(&fs::read_to_string(root.join(MANIFEST))?)?;
    let (tools, runner) = (root.join(TOOLS), runner(root));
    let installed = cmd!(sh, "{runner} --version")
        .quiet()
        .ignore_stderr()
        .read();
    let wanted = |said: &String| said.split_whitespace().any(|word| word == version);
    if installed.as_ref().is_ok_and(wanted) {
        return Ok(None);
    }
    let installed = cmd!(
        sh,
        "cargo install --locked --quiet gungraun-runner --version ={version} --root {tools}"
    )
    .run();
    Ok(installed
        .err()
        .map(|error| format!("gungraun-runner {version} cannot be installed: {error}")))
}

/// The version in `gungraun = "=1.2.3"`.
fn gungraun_version(manifest: &str) -> Result<String> {
    manifest
        .lines()
        .find_map(|line| line.strip_prefix("gungraun = \"=")?.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("{MANIFEST} does not ask for one version of gungraun"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_asks_for_one_version() {
        let manifest = crate::workspace_root().join(MANIFEST);
        let version = gungraun_version(&fs::read_to_string(manifest).unwrap()).unwrap();
        assert_eq!(version.split('.').count(), 3, "{version}");
        gungraun_version("gungraun = \"0.20\"").unwrap_err();
    }
}
