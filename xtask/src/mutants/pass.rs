//! Builds in which mutants are tried, and what cargo-mutants is told of each.

use std::fs;
use std::path::Path;

use anyhow::Result;
use xshell::{Shell, cmd};

use super::Args;
use crate::ARENA;
use crate::loom::{CORE, POOL};

/// The mutants of one package, or a part of them.
pub(super) struct Pass {
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    /// Each tries what survives the one before.
    pub(super) stages: &'static [Stage],
    /// Whether this is for [`OPTIONAL`], or for all else.
    optional: bool,
}

/// A build, and which of its tests are run.
pub(super) struct Stage {
    features: &'static [&'static str],
    /// Arguments for `cargo test`; none: everything.
    tests: &'static [&'static str],
}

/// Everything, with all features.
const ALL: Stage = Stage {
    features: &["--all-features"],
    tests: &[],
};

/// With `holders` every block is attended: without features is how the pool is used. Code under a
/// `cfg` of theirs survives without them for want of being compiled.
pub(super) const PASSES: [Pass; 4] = [
    Pass {
        name: "core",
        package: CORE,
        stages: &[ALL],
        optional: false,
    },
    Pass {
        name: "pool",
        package: POOL,
        stages: &[
            // Three programs instead of fourteen: most mutants do not survive these.
            Stage {
                features: &[],
                tests: &["--lib", "--test", "it"],
            },
            Stage {
                features: &[],
                tests: &[],
            },
            ALL,
        ],
        optional: false,
    },
    Pass {
        name: "pool-features",
        package: POOL,
        stages: &[ALL],
        optional: true,
    },
    Pass {
        name: "arena",
        package: ARENA,
        stages: &[ALL],
        optional: false,
    },
];

/// What is compiled only with features.
const OPTIONAL: [&str; 6] = [
    "crates/bytesbuf-pool/src/events.rs",
    "crates/bytesbuf-pool/src/publish.rs",
    "crates/bytesbuf-pool/src/holders/backtrace.rs",
    "crates/bytesbuf-pool/src/holders/ledger.rs",
    "crates/bytesbuf-pool/src/holders/mod.rs",
    "crates/bytesbuf-pool/src/holders/table.rs",
];

/// Tests, and what is compiled for model checkers alone.
const NEVER: [&str; 6] = [
    "**/holders/no_ledger.rs",
    "**/local_loom.rs",
    "**/model_tests/**",
    "**/shuttle_tests/**",
    "**/sync/memory.rs",
    "**/sync/model.rs",
];

impl Pass {
    /// Whether it is this pass that has to do with a mutant.
    pub(super) fn is_for(&self, mutant: &str) -> bool {
        self.package != POOL || is_optional(mutant) == self.optional
    }

    /// Which mutants the first stage tries.
    pub(super) fn all(&self, sh: &Shell, root: &Path, args: &Args) -> Result<Vec<String>> {
        let mut flags = self.common(args);
        let select = |flag: &str, pattern: &str| format!("{flag}={pattern}");
        // Names of mutants begin with the file. Unlike `--file`, this adds to what is asked for.
        let optional = if self.optional {
            "--re"
        } else {
            "--exclude-re"
        };
        if self.package == POOL {
            let named = |file: &&str| select(optional, &format!("^{}:", escape(file)));
            flags.extend(OPTIONAL.iter().map(named));
        }
        flags.extend(NEVER.iter().map(|file| select("--exclude", file)));
        flags.extend(args.file.iter().map(|file| select("--file", file)));
        // Modules of tests under a condition that it does not understand.
        flags.push("--exclude-re=tests::".to_owned());
        if let Some(shard) = &args.shard {
            flags.push(select("--shard", shard));
        }
        if let Some(since) = &args.since {
            let diff = cmd!(
                sh,
                "git diff --no-ext-diff --no-color --src-prefix=a/ --dst-prefix=b/ {since} -- crates"
            )
            .read()?;
            let dir = root.join("target").join("mutants");
            fs::create_dir_all(&dir)?;
            let path = dir.join("since.diff");
            fs::write(&path, diff + "\n")?;
            flags.push(select("--in-diff", &path.to_string_lossy()));
        }
        Ok(flags)
    }

    /// What does not select mutants.
    fn common(&self, args: &Args) -> Vec<String> {
        let mut flags = vec!["--package".to_owned(), self.package.to_owned()];
        flags.extend([format!("--jobs={}", args.jobs), "--no-shuffle".to_owned()]);
        match args.timeout {
            Some(timeout) => flags.push(format!("--timeout={timeout}")),
            // Other programs may want the machine as well.
            None => flags.extend(
                ["--timeout-multiplier=10", "--minimum-test-timeout=60"].map(str::to_owned),
            ),
        }
        flags
    }

    /// These mutants and no others.
    pub(super) fn only(&self, args: &Args, mutants: &[String]) -> Vec<String> {
        let mut flags = self.common(args);
        let exactly = |mutant: &String| format!("--re=^{}$", escape(mutant));
        flags.extend(mutants.iter().map(exactly));
        flags
    }
}

impl Stage {
    /// How it builds and what it runs: the last arguments.
    pub(super) fn flags(&self) -> impl Iterator<Item = &'static str> {
        let tests = self.tests.first().map(|_| "--").into_iter();
        self.features
            .iter()
            .copied()
            .chain(tests)
            .chain(self.tests.iter().copied())
    }
}

/// Whether a mutant is in a file that is compiled only with features.
fn is_optional(mutant: &str) -> bool {
    OPTIONAL.iter().any(|file| mutant.starts_with(file))
}

/// A regular expression for a text. (Not every sign may have a backslash: `\<` is the
/// beginning of a word.)
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for sign in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(sign) {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> Args {
        Args {
            package: Vec::new(),
            file: Vec::new(),
            shard: None,
            since: None,
            timeout: None,
            jobs: 2,
        }
    }

    #[track_caller]
    fn flags_of(pass: usize, args: &Args) -> Vec<String> {
        let sh = Shell::new().unwrap();
        PASSES[pass].all(&sh, Path::new("."), args).unwrap()
    }

    #[test]
    fn files_of_features_belong_to_the_run_with_features() {
        let table = r"^crates/bytesbuf\-pool/src/holders/table\.rs:";
        assert!(flags_of(1, &args()).contains(&format!("--exclude-re={table}")));
        let with_features = flags_of(2, &args());
        assert!(with_features.contains(&format!("--re={table}")));
        assert!(!flags_of(0, &args()).iter().any(|flag| flag.contains(table)));
    }

    #[test]
    fn survivors_are_tried_again_by_name() {
        let mutant = "a.rs:1:2: replace + with * in <impl A for B<'_>>::f".to_owned();
        let flags = PASSES[1].only(&args(), &[mutant]);
        assert!(flags.contains(&"--jobs=2".to_owned()));
        let expected = r"--re=^a\.rs:1:2: replace \+ with \* in <impl A for B<'_>>::f$";
        assert_eq!(flags.last().unwrap(), expected);
    }

    #[test]
    fn what_survives_some_tests_is_tried_with_all_of_them_and_with_all_features() {
        let stages = PASSES[1].stages.iter();
        let flags: Vec<Vec<_>> = stages.map(|stage| stage.flags().collect()).collect();
        let some = vec!["--", "--lib", "--test", "it"];
        assert_eq!(flags, [some, vec![], vec!["--all-features"]]);
        for pass in &PASSES {
            let last = pass.stages.last().unwrap();
            assert!(last.tests.is_empty(), "{}", pass.name);
        }
    }

    #[test]
    fn the_files_of_features_exist() {
        for file in OPTIONAL {
            assert!(crate::workspace_root().join(file).is_file(), "{file}");
        }
    }
}
