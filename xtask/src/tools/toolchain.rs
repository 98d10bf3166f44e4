//! Compilers, their components, and standard libraries for other targets.

use std::path::PathBuf;
use std::sync::OnceLock;

use xshell::{Shell, cmd};

use super::Missing;
use crate::steps::figure;

/// The nightly toolchain that everything was tried with. `.ci/run` installs the same.
pub(crate) const NIGHTLY: &str = "nightly-2026-05-20";

/// Whichever is installed by that name.
const ANY_NIGHTLY: &str = "nightly";

/// What miri needs: it builds a standard library of its own.
pub(crate) const MIRI: [&str; 2] = ["miri", RUST_SRC];
pub(crate) const RUST_SRC: &str = "rust-src";

/// The pinned nightly, which is installed if it is not there. If it cannot be had, whatever
/// goes by the name of `nightly`, and the step that runs says so. For `cargo +...`.
pub(crate) fn nightly(sh: &Shell) -> Result<&'static str, Missing> {
    static FOUND: OnceLock<Result<&str, Missing>> = OnceLock::new();
    let found = FOUND.get_or_init(|| match toolchain(sh, NIGHTLY) {
        Ok(()) => Ok(NIGHTLY),
        Err(_) if is_installed(sh, ANY_NIGHTLY) => Ok(ANY_NIGHTLY),
        Err(missing) => Err(missing),
    });
    if matches!(found, Ok(name) if *name != NIGHTLY) {
        figure(format!("with another nightly than {NIGHTLY}"));
    }
    found.clone()
}

/// A toolchain, which is installed if it is not there.
pub(crate) fn toolchain(sh: &Shell, name: &str) -> Result<(), Missing> {
    if is_installed(sh, name) {
        return Ok(());
    }
    // Half an installation, left by one that was interrupted, is replaced.
    let _ = cmd!(sh, "rustup toolchain uninstall {name}")
        .quiet()
        .ignore_stderr()
        .run();
    let done = cmd!(sh, "rustup toolchain install {name} --profile minimal").run();
    match done {
        Ok(()) if is_installed(sh, name) => Ok(()),
        Ok(()) => Err(Missing(format!("{name} does not run once installed"))),
        Err(error) => Err(Missing(format!("no toolchain {name}: {error}"))),
    }
}

/// A toolchain whose installation was interrupted has some of its programs: both are
/// asked for.
fn is_installed(sh: &Shell, toolchain: &str) -> bool {
    ["cargo", "rustc"].into_iter().all(|program| {
        cmd!(sh, "rustup run {toolchain} {program} --version")
            .quiet()
            .ignore_stderr()
            .read()
            .is_ok()
    })
}

/// The same, with components. Installs those that are not there.
pub(crate) fn nightly_with(sh: &Shell, components: &[&str]) -> Result<&'static str, Missing> {
    let nightly = nightly(sh)?;
    for component in components {
        if has_component(sh, nightly, component) {
            continue;
        }
        let installed = cmd!(sh, "rustup component add {component} --toolchain {nightly}").run();
        if installed.is_err() || !has_component(sh, nightly, component) {
            return Err(Missing(format!(
                "{nightly} has no {component}, and it cannot be installed"
            )));
        }
    }
    Ok(nightly)
}

/// Whether a toolchain has a component, going by what that consists of.
fn has_component(sh: &Shell, toolchain: &str, component: &str) -> bool {
    match component {
        RUST_SRC => sysroot(sh, Some(toolchain))
            .is_some_and(|sysroot| sysroot.join("lib/rustlib/src/rust/library").is_dir()),
        program => cmd!(sh, "cargo +{toolchain} {program} --version")
            .quiet()
            .ignore_stderr()
            .read()
            .is_ok(),
    }
}

/// The standard library for another target, if any, for the toolchain in use. Installs
/// it if it is not there.
pub(crate) fn target(sh: &Shell, name: &str) -> Result<(), Missing> {
    let is_installed = || {
        sysroot(sh, None)
            .is_some_and(|sysroot| sysroot.join("lib/rustlib").join(name).join("lib").is_dir())
    };
    if is_installed() {
        return Ok(());
    }
    match cmd!(sh, "rustup target add {name}").run() {
        Ok(()) if is_installed() => Ok(()),
        Ok(()) => Err(Missing(format!(
            "target {name} is not there once installed"
        ))),
        Err(error) => Err(Missing(format!("no target {name}: {error}"))),
    }
}

fn sysroot(sh: &Shell, toolchain: Option<&str>) -> Option<PathBuf> {
    let toolchain = toolchain.map(|name| format!("+{name}"));
    let sysroot = cmd!(sh, "rustc {toolchain...} --print sysroot");
    let sysroot = sysroot.quiet().ignore_stderr().read().ok()?;
    Some(PathBuf::from(sysroot))
}

/// A component of the toolchain in use. Installs it if it is not there.
pub(crate) fn component(sh: &Shell, name: &str) -> Result<(), Missing> {
    let done = cmd!(sh, "rustup component add {name}").quiet().run();
    done.map_err(|error| Missing(format!("no component {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_toolchain_lacks_is_noticed() {
        let sh = Shell::new().unwrap();
        assert!(!has_component(&sh, "no-such-toolchain", "miri"));
        assert!(!has_component(&sh, "no-such-toolchain", "rust-src"));
        assert!(sysroot(&sh, Some("no-such-toolchain")).is_none());
        assert!(!is_installed(&sh, "no-such-toolchain"));
        // What this was compiled with is there.
        assert!(sysroot(&sh, None).is_some_and(|sysroot| sysroot.join("lib/rustlib").is_dir()));
    }

    #[test]
    fn the_nightly_is_the_one_that_script_and_workflow_install() {
        for file in [".ci/run", ".github/workflows/ci.yml"] {
            let text = std::fs::read_to_string(crate::workspace_root().join(file)).unwrap();
            assert!(text.contains(NIGHTLY), "{file}");
        }
    }
}
