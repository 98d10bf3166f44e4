//! The tests of the libraries under the compiler's sanitizers.
//!
//! Each has target directories of its own. `address` finds leaks as well; what a pool
//! hides from it, the pool tells it (`crates/bytesbuf-pool/src/poison.rs`).
//!
//! `memory` and `thread` need a standard library that is built the same way, which
//! takes a minute or two the first time. They run slightly optimised code.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::checked::{self, Counted, Mode};
use crate::steps::{Outcome, Steps};
use crate::tools::{self, Missing};

/// The sanitizers exist for few targets, and a target that is named keeps build
/// scripts and macros out of them.
const TARGET: &str = "x86_64-unknown-linux-gnu";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which one
    #[arg(value_enum, default_value_t = Which::All)]
    which: Which,
    /// One of the two ways in which pools are made; both if none is named
    #[arg(long)]
    pass_through: bool,
    /// The other one
    #[arg(long)]
    pooled: bool,
    /// One package
    #[arg(long, short)]
    package: Option<String>,
    /// What the test programs are to be told, such as a filter
    #[arg(last = true)]
    tests: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    Address,
    Leak,
    Thread,
    Memory,
    All,
}

#[derive(Debug)]
struct Sanitizer {
    which: Which,
    name: &'static str,
    flags: &'static [&'static str],
    /// Whether std has to be built with it.
    builds_std: bool,
    /// The variable that its run-time reads, and what it is told.
    options: (&'static str, &'static str),
    modes: &'static [Mode],
}

const SANITIZERS: [Sanitizer; 4] = [
    Sanitizer {
        which: Which::Address,
        name: "address",
        flags: &[
            "-Zsanitizer=address",
            "--cfg",
            "bytesbuf_sanitize=\"address\"",
        ],
        builds_std: false,
        options: (
            "ASAN_OPTIONS",
            "allocator_may_return_null=1:detect_leaks=1:detect_stack_use_after_return=1:allow_addr2line=1",
        ),
        modes: &Mode::BOTH,
    },
    // By itself it is nearly free, and its reports are not mixed with others.
    Sanitizer {
        which: Which::Leak,
        name: "leak",
        flags: &["-Zsanitizer=leak", "--cfg", "bytesbuf_sanitize=\"leak\""],
        builds_std: false,
        options: (
            "LSAN_OPTIONS",
            "allocator_may_return_null=1:allow_addr2line=1",
        ),
        modes: &[Mode::PassThrough],
    },
    Sanitizer {
        which: Which::Thread,
        name: "thread",
        flags: &[
            "-Zsanitizer=thread",
            "--cfg",
            "bytesbuf_sanitize=\"thread\"",
        ],
        builds_std: true,
        options: (
            "TSAN_OPTIONS",
            "allocator_may_return_null=1:halt_on_error=1:second_deadlock_stack=1:allow_addr2line=1",
        ),
        modes: &[Mode::Pooled],
    },
    Sanitizer {
        which: Which::Memory,
        name: "memory",
        flags: &[
            "-Zsanitizer=memory",
            "-Zsanitizer-memory-track-origins",
            "--cfg",
            "bytesbuf_sanitize=\"memory\"",
        ],
        builds_std: true,
        options: (
            "MSAN_OPTIONS",
            "allocator_may_return_null=1:allow_addr2line=1",
        ),
        modes: &[Mode::Pooled],
    },
];

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let wanted = |sanitizer: &&Sanitizer| args.which == Which::All || sanitizer.which == args.which;
    for sanitizer in SANITIZERS.iter().filter(wanted) {
        for mode in modes(sanitizer, args) {
            let name = format!("sanitize {}, {}", sanitizer.name, mode.name());
            steps.step_if_possible(&name, |sh, _| one(sh, sanitizer, mode, args))?;
        }
    }
    Ok(())
}

/// In which modes a sanitizer runs: those that it is for, unless the user wants others.
fn modes(sanitizer: &Sanitizer, args: &Args) -> Vec<Mode> {
    match (args.pooled, args.pass_through) {
        (false, false) => sanitizer.modes.to_vec(),
        (pooled, passed) => [(pooled, Mode::Pooled), (passed, Mode::PassThrough)]
            .into_iter()
            .filter_map(|(wanted, mode)| wanted.then_some(mode))
            .collect(),
    }
}

fn one(sh: &Shell, sanitizer: &Sanitizer, mode: Mode, args: &Args) -> Result<Outcome> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Outcome::NotRun(format!("only on {TARGET}")));
    }
    let nightly = match compiler(sh, sanitizer) {
        Ok(nightly) => nightly,
        Err(missing) => return Ok(missing.into()),
    };
    let dir = format!("target/sanitize-{}-{}", sanitizer.name, mode.name());
    let packages = &checked::packages(args.package.as_deref());
    let std: &[&str] = if sanitizer.builds_std {
        &["-Zbuild-std"]
    } else {
        &[]
    };
    let (variable, options) = sanitizer.options;
    let tests = &args.tests;
    // With `holders` no block takes the plain path: a run of its own.
    for features in [&["--all-features"][..], &[]] {
        let mut cmd = cmd!(
            sh,
            "cargo +{nightly} test {packages...} {features...} --lib --tests {std...}
             --target {TARGET} --target-dir {dir} --no-fail-fast -- {tests...}"
        )
        .env("RUSTFLAGS", checked::rustflags(sanitizer.flags, mode))
        .env(variable, options);
        if sanitizer.builds_std {
            // The library's profile is std's as well, which would take minutes for the
            // backtrace of a process that ends itself.
            cmd = cmd
                .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
        }
        Counted::run(cmd)?;
    }
    Ok(Outcome::Passed)
}

fn compiler(sh: &Shell, sanitizer: &Sanitizer) -> Result<&'static str, Missing> {
    if sanitizer.builds_std {
        tools::nightly_with(sh, &[tools::RUST_SRC])
    } else {
        tools::nightly(sh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(pooled: bool, pass_through: bool) -> Args {
        Args {
            which: Which::All,
            pass_through,
            pooled,
            package: None,
            tests: Vec::new(),
        }
    }

    #[test]
    fn modes_are_the_sanitizers_own_unless_named() {
        let [address, leak, ..] = &SANITIZERS;
        assert_eq!(modes(address, &args(false, false)), Mode::BOTH);
        assert_eq!(modes(leak, &args(false, false)), [Mode::PassThrough]);
        assert_eq!(modes(leak, &args(true, false)), [Mode::Pooled]);
        assert_eq!(modes(leak, &args(true, true)), Mode::BOTH);
    }

    #[test]
    fn each_has_its_flag_and_what_the_pool_is_told_agrees() {
        for sanitizer in &SANITIZERS {
            let name = sanitizer.name;
            assert_eq!(sanitizer.flags[0], format!("-Zsanitizer={name}"));
            let told = format!("bytesbuf_sanitize=\"{name}\"");
            assert!(sanitizer.flags.contains(&told.as_str()), "{name}");
        }
    }
}
