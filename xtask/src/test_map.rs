//! docs/TESTING-MAP.md: each class of bugs and each flaw of the reference has a row, and
//! every test that the page names is a test of that name in that file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::rust_source;
use crate::steps::Steps;

const MAP: &str = "docs/TESTING-MAP.md";

/// Headings of the tables, and how many rows each has, numbered from 1.
const TABLES: [(&str, usize); 2] = [
    ("## Classes of bugs", 25),
    ("## Flaws of the reference", 27),
];

/// A row without a test has one of these, and then says why.
const REASONS: [&str; 2] = ["Cannot apply:", "No test of its own:"];

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("test-map", |_, root| {
        let map =
            fs::read_to_string(root.join(MAP)).with_context(|| format!("cannot read {MAP}"))?;
        let named: BTreeSet<_> = references(&map).collect();
        let complaints = check(&map, |file| tests_in(&root.join("crates").join(file)));
        eprintln!("{} tests are named in {MAP}", named.len());
        if !complaints.is_empty() {
            bail!("{}", complaints.join("\n"));
        }
        Ok(())
    })
}

/// `file.rs::test` between backticks, as file and test. Files are below `crates/`.
fn references(text: &str) -> impl Iterator<Item = (&str, &str)> {
    // Line by line: a backtick without a second one hides no more than its own.
    let quoted = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter_map(|quoted| {
        let (file, test) = quoted.split_once("::")?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (file.ends_with(".rs") && test.chars().all(is_name)).then_some((file, test))
    })
}

/// What is wrong with the map, one line each.
fn check(map: &str, tests_in: impl Fn(&str) -> Option<BTreeSet<String>>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (heading, count) in TABLES {
        let Some(table) = section(map, heading) else {
            complaints.push(format!("{MAP}: no section {heading:?}"));
            continue;
        };
        let rows: Vec<_> = table.lines().filter_map(numbered_row).collect();
        for number in 1..=count {
            let of_number: Vec<_> = rows.iter().filter(|(n, _)| *n == number).collect();
            match of_number[..] {
                [(_, row)] => {
                    let explained = REASONS.iter().any(|reason| row.contains(reason));
                    if references(row).next().is_none() && !explained {
                        complaints.push(format!("{heading} {number}: no test, and no reason"));
                    }
                }
                _ => complaints.push(format!("{heading} {number}: {} rows", of_number.len())),
            }
        }
        for (number, _) in rows.iter().filter(|(n, _)| !(1..=count).contains(n)) {
            complaints.push(format!("{heading} {number}: there is no such number"));
        }
    }
    for (file, test) in references(map) {
        match tests_in(file) {
            None => complaints.push(format!("{MAP}: there is no crates/{file}")),
            Some(tests) if !tests.contains(test) => {
                complaints.push(format!("{MAP}: no test {test} in crates/{file}"));
            }
            Some(_) => {}
        }
    }
    complaints
}

/// The text from a heading to the next one of its level.
fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("{heading}\n"))?;
    Some(
        rest.split_once("\n## ")
            .map_or(rest, |(section, _)| section),
    )
}

/// The number in the first cell of a table's row, and the row.
fn numbered_row(line: &str) -> Option<(usize, &str)> {
    let cell = line.strip_prefix('|')?.split('|').next()?;
    Some((cell.trim().parse().ok()?, line))
}

/// Names of the tests in a file, or `None` if it cannot be read.
fn tests_in(path: &Path) -> Option<BTreeSet<String>> {
    let text = fs::read_to_string(path).ok()?;
    let mut names = BTreeSet::new();
    collect(rust_source::tokens(&text).ok()?, &mut names);
    Some(names)
}

/// Functions behind an attribute that is `test`, or ends in it (`tokio::test`).
fn collect(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut is_test = false;
    for (i, tree) in trees.iter().enumerate() {
        let attribute = rust_source::is_punct(i.checked_sub(1).and_then(|i| trees.get(i)), '#')
            .then(|| rust_source::as_group(Some(tree), Delimiter::Bracket))
            .flatten();
        if let Some(attribute) = attribute {
            is_test |= ends_in_test(attribute.stream());
            continue;
        }
        if rust_source::is_ident(Some(tree), "fn") && is_test {
            if let Some(TokenTree::Ident(name)) = trees.get(i + 1) {
                names.insert(name.to_string());
            }
        }
        match tree {
            // What may stand between the attribute and the name.
            TokenTree::Punct(punct) if punct.as_char() == '#' => {}
            TokenTree::Ident(ident) if ident == "async" => {}
            TokenTree::Group(group) => {
                is_test = false;
                collect(group.stream(), names);
            }
            _ => is_test = false,
        }
    }
}

/// `test`, `tokio::test`, with or without arguments.
fn ends_in_test(attribute: TokenStream) -> bool {
    let path = attribute
        .into_iter()
        .take_while(|tree| !matches!(tree, TokenTree::Group(_)));
    rust_source::is_ident(path.last().as_ref(), "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map with all rows, of which one may be replaced.
    fn map(table: usize, number: usize, row: &str) -> String {
        let mut text = String::new();
        for (index, (heading, count)) in TABLES.into_iter().enumerate() {
            text += &format!("{heading}\n| # | what | tests |\n|---|---|---|\n");
            for n in 1..=count {
                if (index, n) == (table, number) {
                    text += &format!("{row}\n");
                } else {
                    text += &format!("| {n} | what | `a/tests/t.rs::yes` |\n");
                }
            }
            text += "\n";
        }
        text + "## Words\n| 1 | not a row of the tables |\n"
    }

    #[track_caller]
    fn check_row(row: &str, expected: &[&str]) {
        let tests_in = |file: &str| {
            let yes = BTreeSet::from(["yes".to_owned()]);
            (file == "a/tests/t.rs").then_some(yes)
        };
        for table in 0..TABLES.len() {
            let complaints = check(&map(table, 3, row), tests_in);
            assert_eq!(complaints.len(), expected.len(), "{complaints:?}");
            for (complaint, part) in complaints.iter().zip(expected) {
                assert!(complaint.contains(part), "{complaint:?} lacks {part:?}");
            }
        }
    }

    #[test]
    fn every_number_has_one_row_with_tests_that_are_there() {
        check_row("| 3 | what | `a/tests/t.rs::yes` | `test` |", &[]);
        check_row("| 3 | what | Cannot apply: there is none. |", &[]);
        check_row("| 3 | what | `yes` |", &["no test, and no reason"]);
        check_row("", &["3: 0 rows"]);
        check_row(
            "| 3 | - | `a/tests/t.rs::no` |",
            &["no test no in crates/a/tests"],
        );
        check_row(
            "| 3 | - | `b/tests/t.rs::yes` |",
            &["no crates/b/tests/t.rs"],
        );
        let yes = "`a/tests/t.rs::yes`";
        check_row(
            &format!("| 3 | a | {yes} |\n| 3 | b | {yes} |"),
            &["3: 2 rows"],
        );
        check_row(
            &format!("| 3 | a | {yes} |\n| 99 | b | {yes} |"),
            &["no such number"],
        );
    }

    #[test]
    fn a_missing_section_is_seen() {
        let complaints = check("# Nothing\n", |_| None);
        assert_eq!(complaints.len(), TABLES.len(), "{complaints:?}");
    }

    #[test]
    fn tests_are_told_from_other_functions() {
        let text = "
            fn helper() {}
            #[test]
            fn plain() { fn inner() {} }
            #[test]
            #[cfg_attr(miri, ignore = \"slow\")]
            #[ignore]
            fn with_more() {}
            #[cfg(test)]
            fn not_one() {}
            mod inner {
                #[tokio::test(flavor = \"multi_thread\")]
                async fn of_a_runtime() {}
            }
            proptest! {
                #[test]
                fn of_a_macro(n in 0..3) {}
            }
            // #[test] fn in_a_comment() {}
        ";
        let mut names = BTreeSet::new();
        collect(rust_source::tokens(text).unwrap(), &mut names);
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        assert_eq!(names, ["of_a_macro", "of_a_runtime", "plain", "with_more"]);
    }

    #[test]
    fn references_are_told_from_other_code() {
        let text = "`a/b.rs::c_1`, `a/b.rs`, `BytesBuf::new`, `a.rs::x::y`";
        assert_eq!(references(text).collect::<Vec<_>>(), [("a/b.rs", "c_1")]);
    }
}
