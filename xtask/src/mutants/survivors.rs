//! What became of the mutants, and the list of those that may survive.
//!
//! A mutant is known by file and description: lines move. The same description may stand
//! for several places of a function, so both sides are counted.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// An entry of the list.
#[derive(Debug, PartialEq)]
pub(crate) struct Listed {
    pub(crate) file: String,
    /// `file: description`.
    pub(crate) mutant: String,
}

/// `file: description` of each mutant.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Survivors with line and column, as cargo-mutants knows them.
    pub(crate) survivors: Vec<String>,
    pub(crate) caught: Vec<String>,
    pub(crate) survived: Vec<String>,
    pub(crate) timed_out: Vec<String>,
    pub(crate) unviable: Vec<String>,
}

impl Tally {
    /// From the directory that cargo-mutants wrote; there is none if there were no mutants.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        if !dir.exists() {
            return Ok(Self::default());
        }
        let read = |name: &str| -> Result<Vec<String>> {
            let path = dir.join(name);
            let text =
                fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
            text.lines()
                .map(|line| without_place(line).with_context(|| format!("not a mutant: {line}")))
                .collect()
        };
        let survivors = fs::read_to_string(dir.join("missed.txt"))?;
        Ok(Self {
            survivors: survivors.lines().map(str::to_owned).collect(),
            caught: read("caught.txt")?,
            survived: read("missed.txt")?,
            timed_out: read("timeout.txt")?,
            unviable: read("unviable.txt")?,
        })
    }

    /// What became of the survivors when they were tried again.
    pub(crate) fn replace_survivors(&mut self, again: Self) {
        self.survived.clear();
        self.survivors.clear();
        self.add(again);
    }

    /// Forgets the mutants that are not wanted.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.survivors
            .retain(|line| without_place(line).is_some_and(|mutant| wanted(&mutant)));
        for list in [
            &mut self.caught,
            &mut self.survived,
            &mut self.timed_out,
            &mut self.unviable,
        ] {
            list.retain(|mutant| wanted(mutant));
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.survivors.extend(other.survivors);
        self.caught.extend(other.caught);
        self.survived.extend(other.survived);
        self.timed_out.extend(other.timed_out);
        self.unviable.extend(other.unviable);
    }

    pub(crate) fn tried(&self) -> usize {
        self.caught.len() + self.survived.len() + self.timed_out.len() + self.unviable.len()
    }

    fn was_tried(&self, mutant: &str) -> bool {
        let lists = [
            &self.caught,
            &self.survived,
            &self.timed_out,
            &self.unviable,
        ];
        lists.iter().any(|list| count(list, mutant) > 0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} mutants: {} caught, {} survived, {} timed out, {} do not compile",
            self.tried(),
            self.caught.len(),
            self.survived.len(),
            self.timed_out.len(),
            self.unviable.len()
        )
    }
}

/// `path:line:column: description` without line and column.
fn without_place(line: &str) -> Option<String> {
    let (place, description) = line.split_once(": ")?;
    let file = place.rsplitn(3, ':').nth(2)?;
    Some(format!("{file}: {description}"))
}

/// Reads the list: mutants, one a line, then indented the reason for all of them.
pub(crate) fn parse(text: &str) -> Result<Vec<Listed>> {
    let mut entries = Vec::new();
    let mut without_reason = 0;
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(char::is_whitespace) {
            ensure!(!entries.is_empty(), "a reason for nothing: {line}");
            without_reason = 0;
            continue;
        }
        let (file, _) = line
            .split_once(": ")
            .with_context(|| format!("not `file: mutant`: {line}"))?;
        entries.push(Listed {
            file: file.to_owned(),
            mutant: line.to_owned(),
        });
        without_reason += 1;
    }
    ensure!(without_reason == 0, "the last entries have no reason");
    Ok(entries)
}

fn count(mutants: &[String], mutant: &str) -> usize {
    mutants.iter().filter(|other| *other == mutant).count()
}

fn count_listed(listed: &[&Listed], mutant: &str) -> usize {
    listed.iter().filter(|entry| entry.mutant == mutant).count()
}

/// Survivors beyond those that the list has, once each.
pub(crate) fn unexplained(tally: &Tally, listed: &[&Listed]) -> Vec<String> {
    let mut found: Vec<String> = tally
        .survived
        .iter()
        .filter(|mutant| count(&tally.survived, mutant) > count_listed(listed, mutant))
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Entries of the list that did not survive, once each. What was not tried says nothing,
/// unless everything was.
pub(crate) fn stale(tally: &Tally, listed: &[&Listed], complete: bool) -> Vec<String> {
    let mut found: Vec<String> = listed
        .iter()
        .map(|entry| entry.mutant.clone())
        .filter(|mutant| complete || tally.was_tried(mutant))
        .filter(|mutant| count(&tally.survived, mutant) < count_listed(listed, mutant))
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(survived: &[&str], caught: &[&str]) -> Tally {
        let own = |list: &[&str]| list.iter().map(|&mutant| mutant.to_owned()).collect();
        Tally {
            survived: own(survived),
            caught: own(caught),
            ..Tally::default()
        }
    }

    #[test]
    fn survivors_that_are_caught_in_the_end_are_caught() {
        let mut total = tally(&["a: x", "a: y"], &["a: z"]);
        total.replace_survivors(tally(&["a: x"], &["a: y"]));
        assert_eq!(total.survived, ["a: x"]);
        assert_eq!(total.caught, ["a: z", "a: y"]);
        assert_eq!(total.tried(), 3);
    }

    #[test]
    fn what_is_not_wanted_is_forgotten_everywhere() {
        let mut total = tally(&["a: x", "b: x"], &["a: y", "b: y"]);
        total.survivors = vec!["a:1:2: x".to_owned(), "b:1:2: x".to_owned()];
        total.retain(|mutant| mutant.starts_with('b'));
        assert_eq!(total.survived, ["b: x"]);
        assert_eq!(total.caught, ["b: y"]);
        assert_eq!(total.survivors, ["b:1:2: x"]);
    }

    #[test]
    fn the_place_is_left_out() {
        assert_eq!(
            without_place("a/b.rs:12:3: replace f -> T with T: 1").as_deref(),
            Some("a/b.rs: replace f -> T with T: 1")
        );
        assert_eq!(without_place("nothing of the kind"), None);
    }

    #[test]
    fn a_reason_is_for_all_entries_above_it() {
        let listed = parse("# About.\n\na: x\nb: y\n  Because.\n  Indeed.\nc: z\n  So.\n").unwrap();
        let mutants: Vec<_> = listed.iter().map(|entry| entry.mutant.as_str()).collect();
        assert_eq!(mutants, ["a: x", "b: y", "c: z"]);
        assert_eq!(listed[1].file, "b");
    }

    #[test]
    fn an_entry_without_a_reason_is_an_error() {
        assert!(parse("a: x\n").is_err());
        assert!(parse("a: x\n  Why.\nb: y\n").is_err());
        assert!(parse("  Why.\n").is_err());
        assert!(parse("nothing of the kind\n  Why.\n").is_err());
    }

    #[test]
    fn each_survivor_needs_an_entry_of_its_own() {
        let listed = parse("a: x\n  Why.").unwrap();
        let listed: Vec<_> = listed.iter().collect();
        assert!(unexplained(&tally(&["a: x"], &[]), &listed).is_empty());
        assert_eq!(
            unexplained(&tally(&["a: x", "a: x"], &[]), &listed),
            ["a: x"]
        );
        assert_eq!(unexplained(&tally(&["b: y"], &[]), &listed), ["b: y"]);
    }

    #[test]
    fn an_entry_that_is_caught_is_stale() {
        let listed = parse("a: x\n  Why.").unwrap();
        let listed: Vec<_> = listed.iter().collect();
        assert_eq!(stale(&tally(&[], &["a: x"]), &listed, false), ["a: x"]);
        assert!(stale(&tally(&["a: x"], &[]), &listed, true).is_empty());
        // Not tried: stale only if everything was.
        assert!(stale(&tally(&["b: y"], &[]), &listed, false).is_empty());
        assert_eq!(stale(&tally(&["b: y"], &[]), &listed, true), ["a: x"]);
    }
}
