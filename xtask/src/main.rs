//! `cargo xtask <verb>`: what a contributor does more than once.
//!
//! One file a verb. Continuous integration runs these verbs and nothing else, so
//! what passes here passes there. Nothing in the workspace depends on this crate.

mod api;
mod bench;
mod checked;
mod churn;
mod ci;
mod compat;
mod coverage;
mod deny;
mod doc;
mod docs_rs;
mod environment;
mod features;
mod fuzz;
mod kill;
mod layers;
mod lint;
mod loom;
mod memcheck;
mod miri;
mod msrv;
mod mutants;
mod no_std;
mod oracle;
mod orderings;
mod perf;
mod rust_source;
mod sanitize;
mod semver;
mod shuttle;
mod soak;
mod steps;
mod test;
mod test_map;
mod tools;
mod unsafe_list;
mod verify;
mod workspace_copy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use steps::Steps;

/// Packages that users depend on. Everything else in the workspace is a tool, a
/// test or an example.
const LIBRARIES: [&str; 3] = ["bytesbuf-core", "bytesbuf-pool", "bytesbuf"];

/// The worked example of a provider. Nobody depends on it, but it has unsafe code.
const ARENA: &str = "bytesbuf-arena";

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "The chores of this workspace, one verb each"
)]
struct Args {
    /// Fail if something that a step needs is missing
    #[arg(long, global = true)]
    strict: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Ours beside everything a user would pick instead: one table, one page
    Bench(bench::Args),
    /// Instructions and atomics of the hot paths, against committed counts
    Perf(perf::Args),
    /// Everything that has to pass before a change lands
    Ci,
    /// Formatting and clippy, without changing a file
    Lint,
    /// All tests of the workspace with all features, then the oracle
    Test(test::Args),
    /// The documentation of the libraries, warnings denied
    Doc,
    /// The same as docs.rs builds it
    DocsRs,
    /// The public interface against the listings in docs/api
    Api(api::Args),
    /// Whether users of a release can take this tree in its place, lint by lint
    Semver(semver::Args),
    /// Licences, sources and duplicates of dependencies, and advisories
    Deny,
    /// The libraries with combinations of their features
    Features(features::Args),
    /// Random operations against the published 0.4.2 and a `Vec<u8>`
    Oracle(oracle::Args),
    /// A client of the published 0.4.x, with ours patched in
    Compat,
    /// Every interleaving of the concurrency scenarios, under loom
    Loom(loom::Args),
    /// Random interleavings of scenarios that are too big for loom, under shuttle
    Shuttle(shuttle::Args),
    /// Weakens one atomic ordering at a time and asks loom who notices (minutes)
    Orderings(orderings::Args),
    /// Plants one known bug of each class and asks its rung who notices (many minutes)
    Kill(kill::Args),
    /// Who depends on whom, which files hold unsafe code, and which tests find what
    Layers,
    /// docs/TESTING-MAP.md: a row for each class of bugs, and tests that are there
    TestMap,
    /// Files with unsafe code: opted in, and listed in docs/UNSAFE.md
    UnsafeList,
    /// The libraries without std, on a target without std if there is one
    NoStd,
    /// The libraries on the oldest compiler that they promise to build with
    Msrv,
    /// The tests of the libraries under miri: undefined behaviour, in two borrow models
    Miri(miri::Args),
    /// The tests of the libraries under the compiler's sanitizers (nightly)
    Sanitize(sanitize::Args),
    /// Optimised test programs of the libraries under valgrind (slow)
    Memcheck(memcheck::Args),
    /// Random programs under libFuzzer, after a replay of the committed ones
    Fuzz(fuzz::Args),
    /// Changes core, pool and arena at one place at a time and asks the tests who notices (hours)
    Mutants(mutants::Args),
    /// Which lines of the libraries no test runs
    Coverage(coverage::Args),
    /// One pool under a budget, used hard for a while, and a judgement
    Soak(soak::Args),
    /// Short-lived threads that release, rent and end, one after the other
    Churn(churn::Args),
    /// What ci has no time for, rung by rung, and a table for the notes of a release (hours)
    Verify(verify::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let steps = environment::check(|name| std::env::var(name).ok())
        .and_then(|()| Steps::new(workspace_root()));
    let mut steps = match steps {
        Ok(steps) => steps,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let result = match args.verb {
        Verb::Bench(args) => bench::run(&mut steps, &args),
        Verb::Perf(args) => perf::run(&mut steps, args),
        Verb::Ci => ci::run(&mut steps),
        Verb::Lint => lint::run(&mut steps),
        Verb::Test(args) => test::run(&mut steps, &args),
        Verb::Doc => doc::run(&mut steps),
        Verb::DocsRs => docs_rs::run(&mut steps),
        Verb::Api(args) => api::run(&mut steps, &args),
        Verb::Semver(args) => semver::run(&mut steps, &args),
        Verb::Deny => deny::run(&mut steps),
        Verb::Features(args) => features::run(&mut steps, &args),
        Verb::Oracle(args) => oracle::run(&mut steps, &args),
        Verb::Compat => compat::run(&mut steps),
        Verb::Loom(args) => loom::run(&mut steps, &args),
        Verb::Shuttle(args) => shuttle::run(&mut steps, &args),
        Verb::Orderings(args) => orderings::run(&mut steps, &args),
        Verb::Kill(args) => kill::run(&mut steps, &args),
        Verb::Layers => layers::run(&mut steps),
        Verb::TestMap => test_map::run(&mut steps),
        Verb::UnsafeList => unsafe_list::run(&mut steps),
        Verb::NoStd => no_std::run(&mut steps),
        Verb::Msrv => msrv::run(&mut steps),
        Verb::Miri(args) => miri::run(&mut steps, &args),
        Verb::Sanitize(args) => sanitize::run(&mut steps, &args),
        Verb::Memcheck(args) => memcheck::run(&mut steps, &args),
        Verb::Fuzz(args) => fuzz::run(&mut steps, &args),
        Verb::Mutants(args) => mutants::run(&mut steps, &args),
        Verb::Coverage(args) => coverage::run(&mut steps, &args),
        Verb::Soak(args) => soak::run(&mut steps, &args),
        Verb::Churn(args) => churn::run(&mut steps, &args),
        Verb::Verify(args) => verify::run(&mut steps, &args),
    };
    steps.report();
    let result = match args.strict {
        true => result.and_then(|()| steps.require_all_ran()),
        false => result,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The directory above this crate's.
fn workspace_root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent()
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// `-p a -p b ...` for the libraries.
fn library_args() -> Vec<&'static str> {
    LIBRARIES
        .iter()
        .flat_map(|package| ["-p", package])
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_root_is_the_one_with_the_members() {
        assert!(
            workspace_root()
                .join("crates/bytesbuf-core/Cargo.toml")
                .is_file()
        );
    }
}
