//! The tests of the libraries under miri: both borrow models, both kinds of pools,
//! several seeds, a 32-bit and a big-endian target.
//!
//! Without `--long`, what fits into continuous integration. Constants of the pool and
//! of the tests shrink under miri; what is left out altogether is marked `ignore` with
//! a reason, or is a test program whose first line says `not(miri)`.

use std::str::FromStr;

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::ARENA;
use crate::checked::{self, Counted, Mode};
use crate::loom::{CORE, FACADE, MODELS, POOL};
use crate::steps::{Outcome, Steps, figure};
use crate::tools;

const ALWAYS: &str = "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check";

/// Pointers of 32 bits.
const NARROW: &str = "i686-unknown-linux-gnu";
/// The other order of bytes.
const BIG_ENDIAN: &str = "s390x-unknown-linux-gnu";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Integration tests as well, each in both models and both modes; other targets
    #[arg(long)]
    long: bool,
    /// The pairs of model and mode that `--long` leaves out
    #[arg(long, conflicts_with = "long")]
    rest: bool,
    /// The small concurrent tests alone, once for each of so many seeds
    #[arg(long, conflicts_with_all = ["long", "rest"], value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
    /// The seed of the other runs [default: another one every day]
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Only every n-th run from the k-th, as `k/n` with k from 0
    #[arg(long, value_name = "K/N")]
    part: Option<Part>,
    /// Another target to interpret
    #[arg(long)]
    target: Option<String>,
    /// Only tests whose name contains this
    filter: Option<String>,
}

/// A share of the runs, for several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    first: usize,
    of: usize,
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((first, of)) if first < of => Ok(Self { first, of }),
            _ => Err("not two numbers `k/n` with k below n"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Borrows {
    Stacked,
    Tree,
}

impl Borrows {
    const fn name(self) -> &'static str {
        match self {
            Self::Stacked => "stacked borrows",
            Self::Tree => "tree borrows",
        }
    }

    const fn flag(self) -> &'static str {
        match self {
            Self::Stacked => "",
            Self::Tree => "-Zmiri-tree-borrows",
        }
    }
}

/// What interleavings, and the values of loads that may return several, come of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seeds {
    One(u64),
    /// Each of so many.
    Many(u32),
}

/// Days since 1970: what is not found today may be found tomorrow.
fn seed_of_today() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() / (24 * 60 * 60))
}

/// One call of miri.
#[derive(Clone, Debug)]
struct Run {
    packages: &'static [&'static str],
    /// Unit tests alone, or integration tests as well.
    with_integration: bool,
    features: &'static [&'static str],
    borrows: Borrows,
    mode: Mode,
    seeds: Seeds,
    target: Option<String>,
    filter: Option<String>,
}

impl Run {
    fn of(packages: &'static [&'static str], borrows: Borrows, mode: Mode) -> Self {
        Self {
            packages,
            with_integration: false,
            features: &[],
            borrows,
            mode,
            seeds: Seeds::One(0),
            target: None,
            filter: None,
        }
    }

    fn all_tests(packages: &'static [&'static str], borrows: Borrows, mode: Mode) -> Self {
        Self {
            with_integration: true,
            ..Self::of(packages, borrows, mode)
        }
    }

    fn of_facade(borrows: Borrows, mode: Mode) -> Self {
        Self {
            features: &["--features", "test-util,bytes-compat,thread-aware"],
            ..Self::all_tests(&[FACADE], borrows, mode)
        }
    }

    fn of_holders(borrows: Borrows, mode: Mode) -> Self {
        Self {
            features: &["--all-features"],
            ..Self::all_tests(&[POOL], borrows, mode)
        }
    }

    fn name(&self) -> String {
        let tests = match (self.seeds, self.with_integration) {
            (Seeds::Many(seeds), _) => format!(", {seeds} seeds"),
            (Seeds::One(_), true) => ", all tests".to_owned(),
            (Seeds::One(_), false) => String::new(),
        };
        let target = self.target.as_deref();
        format!(
            "miri {}, {}, {}{tests}{}{}",
            self.packages.join(" "),
            self.borrows.name(),
            self.mode.name(),
            if self.features.is_empty() {
                ""
            } else {
                ", features"
            },
            target.map_or_else(String::new, |target| format!(", {target}")),
        )
    }

    fn miri_flags(&self) -> String {
        let seeds = match self.seeds {
            Seeds::One(seed) => format!("-Zmiri-seed={seed}"),
            // Another round of one seed finds less than another seed.
            Seeds::Many(seeds) => {
                format!("-Zmiri-many-seeds=0..{seeds} -Zmiri-env-set=BYTESBUF_ROUNDS=1")
            }
        };
        format!("{ALWAYS} {} {seeds}", self.borrows.flag())
    }

    /// Returns how many tests have passed.
    fn run(&self, sh: &Shell, nightly: &str) -> Result<usize> {
        let packages = self.packages.iter().flat_map(|package| ["-p", package]);
        let tests: &[&str] = if self.with_integration {
            &["--lib", "--tests"]
        } else {
            &["--lib"]
        };
        // Tests of core that need `alloc` are not compiled without, and nobody says so.
        let alloc: &[&str] = match self.packages.contains(&CORE) {
            true => &["--features", "bytesbuf-core/alloc"],
            false => &[],
        };
        let (features, filter) = (self.features, &self.filter);
        let target = self.target.iter().flat_map(|target| ["--target", target]);
        let dir = format!("target/miri-{}", self.mode.name());
        let cmd = cmd!(
            sh,
            "cargo +{nightly} miri test {packages...} {tests...} {alloc...} {features...} {target...}
             --target-dir {dir} --no-fail-fast -- {filter...}"
        )
        .env("MIRIFLAGS", self.miri_flags())
        .env("RUSTFLAGS", checked::rustflags(&[], self.mode));
        Counted::run_any(cmd)
    }
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let runs = plan(args);
    ensure!(!runs.is_empty(), "there are fewer runs than parts");
    let mut total = Some(0);
    for mut run in runs {
        if args.target.is_some() {
            run.target.clone_from(&args.target);
        }
        if args.filter.is_some() {
            run.filter.clone_from(&args.filter);
        }
        if let Seeds::One(seed) = &mut run.seeds {
            *seed = args.seed.unwrap_or_else(seed_of_today);
        }
        steps.step_if_possible(&run.name(), |sh, _| {
            let nightly = match tools::nightly_with(sh, &tools::MIRI) {
                Ok(nightly) => nightly,
                Err(missing) => {
                    total = None;
                    return Ok(missing.into());
                }
            };
            if let Seeds::One(seed) = run.seeds {
                figure(format!("--seed {seed}"));
            }
            let passed = run.run(sh, nightly)?;
            // One name need not be in each of the packages.
            ensure!(passed > 0 || args.filter.is_some(), "no test was run");
            total = total.map(|total| total + passed);
            Ok(Outcome::Passed)
        })?;
    }
    ensure!(total != Some(0), "no test matches the filter");
    Ok(())
}

fn plan(args: &Args) -> Vec<Run> {
    let runs = match args.seeds {
        Some(seeds) => seeded(seeds),
        None if args.long => long(),
        None if args.rest => rest(),
        None => short(),
    };
    let Some(Part { first, of }) = args.part else {
        return runs;
    };
    runs.into_iter().skip(first).step_by(of).collect()
}

/// Each borrow model and each mode once.
const PAIRS: [(Borrows, Mode); 2] = [
    (Borrows::Tree, Mode::Pooled),
    (Borrows::Stacked, Mode::PassThrough),
];

fn short() -> Vec<Run> {
    let [first, second] = PAIRS;
    vec![
        Run::of(&[CORE, POOL, ARENA], first.0, first.1),
        Run::of(&[CORE, POOL, ARENA, FACADE], second.0, second.1),
    ]
}

/// Other interleavings, and other values for loads that may return several: the models, in
/// each borrow model and each mode once.
fn seeded(seeds: u32) -> Vec<Run> {
    let packages: [&[&str]; 3] = [&[CORE], &[POOL], &[FACADE]];
    let runs = PAIRS.map(|(borrows, mode)| {
        packages.map(|packages| Run {
            seeds: Seeds::Many(seeds),
            filter: Some(MODELS.to_owned()),
            ..Run::of(packages, borrows, mode)
        })
    });
    runs.into_iter().flatten().collect()
}

/// Every test in both models and both modes, though not in each pair of them; the other
/// targets. On 32 bits `test --narrow` runs integration tests, at full speed.
fn long() -> Vec<Run> {
    let mut runs = Vec::new();
    for (borrows, mode) in PAIRS {
        runs.push(Run::all_tests(&[CORE, POOL, ARENA], borrows, mode));
        runs.push(Run::of_facade(borrows, mode));
        // With `holders` no block takes the plain path: runs of their own, in the other pairs.
        runs.push(Run::of_holders(borrows, mode.other()));
    }
    let (borrows, mode) = (Borrows::Tree, Mode::Pooled);
    let elsewhere = [
        (NARROW, Run::of(&[CORE, POOL, ARENA, FACADE], borrows, mode)),
        (
            BIG_ENDIAN,
            Run::all_tests(&[CORE, POOL, ARENA], borrows, mode),
        ),
        (BIG_ENDIAN, Run::of_facade(borrows, mode.other())),
    ];
    runs.extend(elsewhere.map(|(target, run)| Run {
        target: Some(target.to_owned()),
        ..run
    }));
    runs
}

/// What [`long`] leaves out: the other pairs of model and mode.
fn rest() -> Vec<Run> {
    let pairs = PAIRS.map(|(borrows, mode)| (borrows, mode.other()));
    let runs = pairs.map(|(borrows, mode)| {
        [
            Run::all_tests(&[CORE, POOL, ARENA], borrows, mode),
            Run::of_facade(borrows, mode),
            Run::of_holders(borrows, mode.other()),
        ]
    });
    runs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Borrows; 2] = [Borrows::Stacked, Borrows::Tree];

    fn args() -> Args {
        Args {
            long: false,
            rest: false,
            part: None,
            seeds: None,
            seed: None,
            target: None,
            filter: None,
        }
    }

    #[test]
    fn both_models_and_both_modes_are_in_the_short_run() {
        let runs = plan(&args());
        for borrows in BOTH {
            assert!(runs.iter().any(|run| run.borrows == borrows));
        }
        for mode in Mode::BOTH {
            assert!(runs.iter().any(|run| run.mode == mode));
        }
    }

    #[test]
    fn the_long_run_has_each_test_in_each_model_mode_and_target() {
        let runs = long();
        for package in [CORE, POOL, ARENA, FACADE] {
            let has = |is: &dyn Fn(&Run) -> bool| {
                let mut runs = runs.iter().filter(|run| run.packages.contains(&package));
                runs.any(is)
            };
            for borrows in BOTH {
                assert!(
                    has(&|run| run.borrows == borrows && run.with_integration),
                    "{package}"
                );
            }
            for mode in Mode::BOTH {
                assert!(
                    has(&|run| run.mode == mode && run.with_integration),
                    "{package}"
                );
            }
            for target in [NARROW, BIG_ENDIAN] {
                assert!(
                    has(&|run| run.target.as_deref() == Some(target)),
                    "{package}"
                );
            }
        }
    }

    #[test]
    fn the_parts_are_the_whole() {
        let whole = long().iter().map(Run::name).collect::<Vec<_>>();
        let parts = ["0/3", "1/3", "2/3"].map(|part| {
            let args = Args {
                long: true,
                part: Some(part.parse().unwrap()),
                ..args()
            };
            plan(&args).iter().map(Run::name).collect::<Vec<_>>()
        });
        for (index, name) in whole.iter().enumerate() {
            assert_eq!(&parts[index % 3][index / 3], name);
        }
        assert_eq!(parts.concat().len(), whole.len());
        for wrong in ["", "1", "1/", "1/1", "2/1", "-1/2", "0/0"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn with_the_rest_each_test_has_run_in_each_pair() {
        let runs = [long(), rest()].concat();
        for borrows in BOTH {
            for mode in Mode::BOTH {
                let here = |run: &&Run| (run.borrows, run.mode) == (borrows, mode);
                let here = || runs.iter().filter(here).filter(|run| run.with_integration);
                for package in [CORE, POOL, ARENA, FACADE] {
                    assert!(here().any(|run| run.packages.contains(&package)));
                }
                assert!(here().any(|run| run.features == ["--all-features"]));
            }
        }
    }

    #[test]
    fn seeds_are_for_the_models() {
        let runs = plan(&Args {
            seeds: Some(7),
            ..args()
        });
        for run in &runs {
            assert!(
                run.miri_flags().contains("-Zmiri-many-seeds=0..7"),
                "{run:?}"
            );
            assert_eq!(run.filter.as_deref(), Some(MODELS));
        }
        for package in [CORE, POOL, FACADE] {
            let mut of_package = runs.iter().filter(|run| run.packages == [package]);
            let (first, second) = (of_package.next().unwrap(), of_package.next().unwrap());
            assert_ne!(first.borrows, second.borrows);
            assert_ne!(first.mode, second.mode);
        }
    }

    #[test]
    fn the_seed_is_told_to_miri() {
        let run = Run {
            seeds: Seeds::One(17),
            ..Run::of(&[CORE], Borrows::Tree, Mode::Pooled)
        };
        assert!(
            run.miri_flags()
                .ends_with("-Zmiri-tree-borrows -Zmiri-seed=17")
        );
        // The day that this was written.
        assert!(seed_of_today() >= 20_785);
    }
}
