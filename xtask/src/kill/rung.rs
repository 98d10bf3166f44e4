//! The commands that planted bugs are shown to.

use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::Result;
use serde::Deserialize;
use xshell::Shell;

use super::plant::Plant;
use crate::tools;

/// Which rung of the ladder has to notice.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rung {
    /// `cargo test`.
    Test,
    /// `cargo test --profile release-checked`.
    Release,
    /// `cargo check`: the failure is an error of the compiler.
    Compile,
    /// Library tests under loom.
    Loom,
    /// `cargo miri test` on the nightly, stacked borrows.
    Miri,
    /// Address and leak sanitizer.
    Address,
    /// Tests of `crates/oracle`.
    Oracle,
    /// A verb of this program.
    Xtask,
}

/// Address sanitizer needs to be told a target, so that build scripts go without.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Which rung, told what, with what in the environment: runs of the clean tree are
/// shared by all bugs for which this is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    rung: Rung,
    args: String,
    env: Vec<(String, String)>,
}

impl Run {
    pub(super) fn of(plant: &Plant, rung: Rung) -> Self {
        Self {
            rung,
            args: plant.args.clone(),
            env: plant.env.clone().into_iter().collect(),
        }
    }

    pub(super) const fn rung(&self) -> Rung {
        self.rung
    }

    /// What a person would type, without the target directory.
    pub(super) fn shown(&self) -> String {
        let words = self.rung.words(&self.args).join(" ");
        let own = self.rung.env();
        let own = own.iter().map(|&(key, value)| (key, value));
        let given = self.env.iter();
        let given = given.map(|(key, value)| (key.as_str(), value.as_str()));
        let env: String = own
            .chain(given)
            .map(|(key, value)| format!("{key}=\"{value}\" "))
            .collect();
        format!("{env}{words}")
    }

    /// The command for a copy of the workspace at `root`.
    pub(super) fn command(&self, root: &Path) -> Result<Command> {
        let words = self.rung.words(&self.args);
        let mut command = if self.rung == Rung::Xtask {
            // This program, on that workspace (see `workspace_root`), and on target
            // directories of its own.
            let mut command = Command::new(env::current_exe()?);
            command.args(&words[2..]);
            command.env("CARGO_MANIFEST_DIR", root.join("xtask"));
            command.env_remove("CARGO_TARGET_DIR");
            command
        } else {
            let mut command = Command::new(words[0].as_str());
            command.args(&words[1..]);
            command.env("CARGO_TARGET_DIR", root.join(self.rung.target_dir()));
            command
        };
        // Incremental builds are what makes one changed crate cheap; nobody debugs.
        command
            .env("CARGO_INCREMENTAL", "1")
            .env("RUST_BACKTRACE", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env_remove("RUSTFLAGS")
            .envs(self.rung.env().iter().copied())
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .current_dir(root);
        Ok(command)
    }
}

impl Rung {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Release => "release",
            Self::Compile => "compile",
            Self::Loom => "loom",
            Self::Miri => "miri",
            Self::Address => "address",
            Self::Oracle => "oracle",
            Self::Xtask => "xtask",
        }
    }

    /// The verb that runs this rung, with what tells its kinds apart.
    #[cfg(test)]
    pub(super) fn verb(self, args: &str) -> String {
        let verb = match self {
            Self::Test | Self::Compile => "test",
            Self::Release => "test --release",
            Self::Loom => "loom",
            Self::Miri => "miri",
            Self::Address => "sanitize",
            Self::Oracle => "oracle",
            Self::Xtask if args.starts_with("test --narrow") => "test --narrow",
            Self::Xtask => args.split(' ').next().unwrap_or_default(),
        };
        verb.to_owned()
    }

    /// Whether its output has the test harness's `running 3 tests`.
    pub(super) const fn counts_tests(self) -> bool {
        !matches!(self, Self::Compile | Self::Xtask)
    }

    /// Why it cannot be run here, if so.
    pub(super) fn missing(self, sh: &Shell) -> Option<String> {
        let found = match self {
            Self::Miri => tools::nightly_with(sh, &tools::MIRI),
            Self::Address if !cfg!(all(target_arch = "x86_64", target_os = "linux")) => {
                return Some(format!("address sanitizer is used on {TARGET} alone"));
            }
            Self::Address => tools::nightly(sh),
            _ => return None,
        };
        found.err().map(|missing| missing.to_string())
    }

    fn words(self, args: &str) -> Vec<String> {
        let (miri, address);
        let command = match self {
            Self::Test => "cargo test",
            Self::Release => "cargo test --profile release-checked",
            Self::Compile => "cargo check",
            Self::Loom => "cargo test --release --lib --all-features",
            Self::Miri => {
                miri = format!("cargo +{} miri test", nightly());
                miri.as_str()
            }
            Self::Address => {
                address = format!("cargo +{} test --target {TARGET}", nightly());
                address.as_str()
            }
            Self::Oracle => "cargo test --manifest-path crates/oracle/Cargo.toml",
            // A verb that lacks something has shown nothing.
            Self::Xtask => "cargo xtask --strict",
        };
        let words = command.split_whitespace().chain(args.split_whitespace());
        words.map(str::to_owned).collect()
    }

    const fn env(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Loom => &[
                ("RUSTFLAGS", "--cfg bytesbuf_loom"),
                ("LOOM_MAX_PREEMPTIONS", "2"),
            ],
            Self::Miri => &[(
                "MIRIFLAGS",
                "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check",
            )],
            Self::Address => &[("RUSTFLAGS", "-Zsanitizer=address")],
            _ => &[],
        }
    }

    /// Builds with other flags do not evict each other.
    fn target_dir(self) -> String {
        let name = match self {
            Self::Test | Self::Release | Self::Compile => "test",
            other => other.name(),
        };
        format!("target/{name}")
    }
}

/// The nightly that is here, looked for once. If there is none, the one to be had.
fn nightly() -> &'static str {
    static FOUND: OnceLock<&str> = OnceLock::new();
    FOUND.get_or_init(|| {
        let sh = Shell::new().ok();
        sh.and_then(|sh| tools::nightly(&sh).ok())
            .unwrap_or(tools::NIGHTLY)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rung: Rung, args: &str) -> Run {
        Run {
            rung,
            args: args.to_owned(),
            env: vec![("A".to_owned(), "1".to_owned())],
        }
    }

    #[test]
    fn a_run_is_shown_as_it_would_be_typed() {
        assert_eq!(
            run(Rung::Loom, "-p bytesbuf-core  a_model").shown(),
            "RUSTFLAGS=\"--cfg bytesbuf_loom\" LOOM_MAX_PREEMPTIONS=\"2\" A=\"1\" \
             cargo test --release --lib --all-features -p bytesbuf-core a_model"
        );
        assert_eq!(
            run(Rung::Xtask, "soak --seconds 5").shown(),
            "A=\"1\" cargo xtask --strict soak --seconds 5"
        );
    }

    #[test]
    fn a_verb_is_run_by_this_program_on_the_copy() {
        let root = Path::new("somewhere");
        let command = run(Rung::Xtask, "layers").command(root).unwrap();
        assert_eq!(command.get_program(), env::current_exe().unwrap());
        assert_eq!(
            command.get_args().collect::<Vec<_>>(),
            ["--strict", "layers"]
        );
        let manifest = root.join("xtask");
        assert!(command.get_envs().any(|(key, value)| {
            key == "CARGO_MANIFEST_DIR" && value == Some(manifest.as_os_str())
        }));
    }

    #[test]
    fn what_a_file_sets_comes_after_what_its_rung_sets() {
        let mut run = run(Rung::Loom, "");
        run.env = vec![("LOOM_MAX_PREEMPTIONS".to_owned(), "3".to_owned())];
        let command = run.command(Path::new("somewhere")).unwrap();
        let preemptions = command
            .get_envs()
            .find(|(key, _)| *key == "LOOM_MAX_PREEMPTIONS");
        assert_eq!(preemptions.unwrap().1.unwrap(), "3");
    }
}
