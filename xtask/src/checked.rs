//! What the rungs that look for misuse of memory have in common: which packages, in
//! which of two modes.
//!
//! A pool hides bugs from memory checkers, because a block that was released is memory
//! in use all the same. So each of these rungs runs the tests in *pass-through* mode
//! as well, where every block is an allocation of its own, freed at its last release.
//! It is a `cfg` and not a feature, so that no user can switch it on.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, ensure};
use xshell::Cmd;

use crate::steps::{figure, watch};

/// How the pools of a run are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As users have them.
    Pooled,
    /// Every block an allocation of its own.
    PassThrough,
}

impl Mode {
    pub(crate) const BOTH: [Self; 2] = [Self::Pooled, Self::PassThrough];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pooled => "pooled",
            Self::PassThrough => "pass-through",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Pooled => Self::PassThrough,
            Self::PassThrough => Self::Pooled,
        }
    }

    /// What the compiler has to be told.
    pub(crate) const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Pooled => &[],
            Self::PassThrough => &["--cfg", "bytesbuf_pass_through"],
        }
    }
}

/// How tests went, by name of the package or so.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    passed: usize,
    ignored: usize,
    /// Programs without a test, but for those that a name has filtered out.
    empty: usize,
}

impl Counted {
    /// Runs tests, and counts those that the harness has reported. None at all is a
    /// failure: such a run shows nothing.
    pub(crate) fn run(cmd: Cmd<'_>) -> Result<()> {
        ensure!(Self::run_any(cmd)? > 0, "no test was run");
        Ok(())
    }

    /// Runs tests, or none. Returns how many have passed.
    pub(crate) fn run_any(cmd: Cmd<'_>) -> Result<usize> {
        let mut counted = Self::default();
        watch(cmd, |line| counted.read(line))?;
        figure(&counted);
        Ok(counted.passed)
    }

    /// Reads a line like `test result: ok. 9 passed; 0 failed; 2 ignored; ...`.
    fn read(&mut self, line: &str) {
        let Some((_, figures)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        let figures: BTreeMap<_, _> = figures
            .split(';')
            .filter_map(|part| part.trim().split_once(' '))
            .filter_map(|(count, what)| Some((what, count.parse::<usize>().ok()?)))
            .collect();
        self.passed += figures.get("passed").copied().unwrap_or(0);
        self.ignored += figures.get("ignored").copied().unwrap_or(0);
        self.empty += usize::from(figures.values().all(|&count| count == 0));
    }
}

impl fmt::Display for Counted {
    /// Programs that were compiled to nothing are tests that somebody may take for run.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            ignored,
            empty,
        } = self;
        write!(f, "{passed} tests passed, {ignored} ignored")?;
        match empty {
            0 => Ok(()),
            1 => f.write_str(", 1 program without tests"),
            _ => write!(f, ", {empty} programs without tests"),
        }
    }
}

/// `-p` and the package, or all that have unsafe code.
pub(crate) fn packages(one: Option<&str>) -> Vec<&str> {
    match one {
        Some(package) => vec!["-p", package],
        None => [crate::library_args(), vec!["-p", crate::ARENA]].concat(),
    }
}

/// `RUSTFLAGS` out of its words.
pub(crate) fn rustflags(words: &[&str], mode: Mode) -> String {
    [words, mode.flags()].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use xshell::{Shell, cmd};

    use super::*;

    #[test]
    fn the_harness_is_read() {
        let mut counted = Counted::default();
        counted.read("test result: ok. 9 passed; 0 failed; 2 ignored; 0 measured; 1 filtered out; finished in 0.03s");
        counted
            .read("test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out");
        counted.read("test it::passed ... ok");
        counted.read("running 9 tests");
        assert_eq!(counted.to_string(), "10 tests passed, 2 ignored");
    }

    #[test]
    fn programs_that_were_compiled_to_nothing_are_named() {
        let mut counted = Counted::default();
        for filtered_out in [0, 3] {
            counted.read(&format!(
                "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; {filtered_out} filtered out; finished in 0.00s"
            ));
        }
        assert_eq!(
            counted.to_string(),
            "0 tests passed, 0 ignored, 1 program without tests"
        );
    }

    #[test]
    fn a_run_without_tests_fails() {
        let sh = Shell::new().unwrap();
        let error = Counted::run(cmd!(sh, "rustc --version")).unwrap_err();
        assert_eq!(error.to_string(), "no test was run");
    }

    #[test]
    fn the_mode_is_a_cfg() {
        assert_eq!(rustflags(&["-Zx"], Mode::Pooled), "-Zx");
        assert_eq!(
            rustflags(&["-Zx"], Mode::PassThrough),
            "-Zx --cfg bytesbuf_pass_through"
        );
    }
}
