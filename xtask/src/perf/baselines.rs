//! What was counted, as it is committed, and how two of those compare.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use anyhow::{Context, Result, ensure};

/// A rise beyond this share fails.
const TOLERANCE: f64 = 0.02;

/// Read-modify-writes an operation that may be lost to rounding.
const ROUNDING: f64 = 0.0101;

const HEAD: &str = "\
# Instructions and atomic read-modify-writes of one operation, counted by callgrind.
# `cargo xtask perf record` writes this file, `cargo xtask perf check` compares with it.
";

/// What the counts depend on besides the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TakenWith {
    pub(super) rustc: String,
    pub(super) target: String,
    pub(super) valgrind: String,
    pub(super) libc: String,
}

impl TakenWith {
    fn each(&self) -> [(&'static str, &str); 4] {
        [
            ("rustc", &self.rustc),
            ("target", &self.target),
            ("valgrind", &self.valgrind),
            ("libc", &self.libc),
        ]
    }

    /// Why counts taken here do not compare with these.
    pub(super) fn differs_from(&self, here: &Self) -> Option<String> {
        let pairs = self.each().into_iter().zip(here.each());
        let mut all = pairs.filter(|(was, is)| was != is);
        all.next().map(|((what, was), (_, is))| {
            format!("the baselines are of {what} {was}, here is {is}; `cargo xtask perf record` takes new ones")
        })
    }
}

/// One operation of one path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) instructions: f64,
    pub(super) atomics: f64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            instructions,
            atomics,
        } = self;
        write!(f, "{instructions:10.2} {atomics:8.2}")
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Baselines {
    pub(super) taken_with: TakenWith,
    pub(super) paths: BTreeMap<String, Counts>,
}

impl Baselines {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut all = Self::default();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) = line.split_once(' ').context(line.to_owned())?;
            let value = value.trim();
            let known = match key {
                "rustc" => &mut all.taken_with.rustc,
                "target" => &mut all.taken_with.target,
                "valgrind" => &mut all.taken_with.valgrind,
                "libc" => &mut all.taken_with.libc,
                path => {
                    let counts = counts(value).with_context(|| line.to_owned())?;
                    let before = all.paths.insert(path.to_owned(), counts);
                    ensure!(before.is_none(), "{path} is there twice");
                    continue;
                }
            };
            value.clone_into(known);
        }
        for (key, value) in all.taken_with.each() {
            ensure!(!value.is_empty(), "no {key}");
        }
        Ok(all)
    }

    /// As it is committed.
    pub(super) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (key, value) in self.taken_with.each() {
            text += &format!("{key} {value}\n");
        }
        text += "\n# path            instructions      rmw\n";
        for (path, counts) in &self.paths {
            let _ = writeln!(text, "{path:18}{counts}");
        }
        text
    }

    /// What became of these, in words; `now` was taken with the same.
    pub(super) fn compare(&self, now: &Self) -> Comparison {
        let mut found = Comparison::default();
        for (path, new) in &now.paths {
            match self.paths.get(path) {
                None => found
                    .worse
                    .push(format!("{path}: has no baseline; record one")),
                Some(old) => found.row(path, *old, *new),
            }
        }
        for path in self.paths.keys() {
            if !now.paths.contains_key(path) {
                found
                    .worse
                    .push(format!("{path}: was not counted; record without it"));
            }
        }
        found
    }
}

fn counts(text: &str) -> Option<Counts> {
    let (instructions, atomics) = text.split_once(' ')?;
    Some(Counts {
        instructions: instructions.parse().ok()?,
        atomics: atomics.trim().parse().ok()?,
    })
}

/// The paths that differ, a sentence each.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Comparison {
    /// Fails the check.
    pub(super) worse: Vec<String>,
    /// To be recorded.
    pub(super) better: Vec<String>,
}

impl Comparison {
    fn row(&mut self, path: &str, old: Counts, new: Counts) {
        let change = new.instructions / old.instructions - 1.0;
        self.note(
            &format!(
                "{path}: {:.2} instructions, were {:.2} ({:+.1} %)",
                new.instructions,
                old.instructions,
                change * 100.0
            ),
            change,
            TOLERANCE,
        );
        self.note(
            &format!(
                "{path}: {:.2} atomic read-modify-writes, were {:.2}",
                new.atomics, old.atomics
            ),
            new.atomics - old.atomics,
            ROUNDING,
        );
    }

    fn note(&mut self, sentence: &str, change: f64, tolerated: f64) {
        if change < -tolerated {
            self.better.push(sentence.to_owned());
        // A figure that is none is no reason to pass.
        } else if change > tolerated || change.is_nan() {
            self.worse.push(sentence.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baselines(paths: &[(&str, f64, f64)]) -> Baselines {
        let counts = |&(path, instructions, atomics): &(&str, f64, f64)| {
            let counts = Counts {
                instructions,
                atomics,
            };
            (path.to_owned(), counts)
        };
        Baselines {
            taken_with: TakenWith {
                rustc: "1.95.0 (59807616e 2026-04-14)".to_owned(),
                target: "x86_64-unknown-linux-gnu".to_owned(),
                valgrind: "3.19.0".to_owned(),
                libc: "glibc 2.36".to_owned(),
            },
            paths: paths.iter().map(counts).collect(),
        }
    }

    #[track_caller]
    fn check(old: (f64, f64), new: (f64, f64), worse: &[&str], better: &[&str]) {
        let old = baselines(&[("w1", old.0, old.1)]);
        let found = old.compare(&baselines(&[("w1", new.0, new.1)]));
        assert_eq!(found.worse, worse);
        assert_eq!(found.better, better);
    }

    #[test]
    fn two_percent_are_tolerated() {
        check((100.0, 1.0), (101.9, 1.01), &[], &[]);
        check((100.0, 1.0), (98.1, 0.99), &[], &[]);
    }

    #[test]
    fn a_rise_names_the_path_and_both_counts() {
        check(
            (100.0, 0.0),
            (103.0, 0.0),
            &["w1: 103.00 instructions, were 100.00 (+3.0 %)"],
            &[],
        );
        check(
            (100.0, 0.0),
            (100.0, 0.03),
            &["w1: 0.03 atomic read-modify-writes, were 0.00"],
            &[],
        );
        check(
            (100.0, 0.0),
            (f64::NAN, 0.0),
            &["w1: NaN instructions, were 100.00 (NaN %)"],
            &[],
        );
    }

    #[test]
    fn a_fall_is_to_be_recorded() {
        check(
            (100.0, 2.0),
            (97.0, 1.0),
            &[],
            &[
                "w1: 97.00 instructions, were 100.00 (-3.0 %)",
                "w1: 1.00 atomic read-modify-writes, were 2.00",
            ],
        );
    }

    #[test]
    fn a_path_on_one_side_alone_fails() {
        let (none, one) = (baselines(&[]), baselines(&[("w1", 1.0, 0.0)]));
        assert_eq!(none.compare(&one).worse.len(), 1);
        assert_eq!(one.compare(&none).worse.len(), 1);
        assert_eq!(one.compare(&one), Comparison::default());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let written = baselines(&[("w1_64", 143.0, 0.0), ("w2s", 152.63, 0.88)]);
        assert_eq!(Baselines::parse(&written.text()).unwrap(), written);
    }

    #[test]
    fn a_file_that_does_not_say_what_it_was_taken_with_is_refused() {
        let text = baselines(&[("w1", 1.0, 0.0)]).text();
        Baselines::parse(&text.replace("valgrind 3.19.0\n", "")).unwrap_err();
        Baselines::parse(&format!("{text}w1 2.0 0.0\n")).unwrap_err();
        Baselines::parse(&format!("{text}w2 2.0\n")).unwrap_err();
    }

    #[test]
    fn another_compiler_is_named() {
        let old = baselines(&[]).taken_with;
        let mut here = old.clone();
        assert_eq!(old.differs_from(&here), None);
        here.rustc = "1.96.0".to_owned();
        let why = old.differs_from(&here).unwrap();
        assert!(
            why.starts_with(
                "the baselines are of rustc 1.95.0 (59807616e 2026-04-14), here is 1.96.0"
            ),
            "{why}"
        );
    }
}
