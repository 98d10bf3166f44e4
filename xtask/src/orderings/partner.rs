//! The comment above each atomic operation: it begins with the ordering, and names its
//! partner, or says that there is none.

use std::fs;

use crate::rust_source;

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// Orderings that a line of code names.
fn named(line: &str) -> Vec<&'static str> {
    let code = line.split("//").next().unwrap_or_default().trim();
    if code.starts_with("use ") {
        return Vec::new();
    }
    let is_named = |name: &&str| {
        code.split(|sign: char| !sign.is_alphanumeric() && sign != ':')
            .any(|word| word == *name || word == format!("Ordering::{name}"))
    };
    // A variant of somebody's own may be called `Release`.
    let is_own = |name: &&str| {
        code.contains(&format!("{name}(")) && !code.contains(&format!("Ordering::{name}"))
    };
    ORDERINGS
        .into_iter()
        .filter(is_named)
        .filter(|name| !is_own(name))
        .collect()
}

/// The comment above the statement, or the argument, of a line.
fn comment_above(lines: &[&str], index: usize) -> String {
    let is_comment = |line: &str| line.trim().starts_with("//");
    let is_inside = |line: &&&str| {
        let line = line.trim();
        !line.is_empty() && !is_comment(line) && !line.ends_with([';', '{', '}'])
    };
    let before = &lines[..index];
    let start = index - before.iter().rev().take_while(is_inside).count();
    let above = lines[..start].iter().rev();
    let mut words: Vec<_> = above.take_while(|line| is_comment(line)).collect();
    words.reverse();
    let text = words.iter().map(|line| line.trim().trim_start_matches('/'));
    text.collect::<Vec<_>>().join("")
}

/// Lines, counted from 1, that name an ordering without such a comment.
fn unexplained(text: &str) -> Vec<usize> {
    let lines: Vec<_> = text.lines().collect();
    let is_explained = |index: usize| {
        let comment = comment_above(&lines, index);
        let orderings = named(lines[index]);
        let begins = |name: &&str| comment.trim().starts_with(*name);
        let is_named = |name: &&str| comment.contains(*name);
        orderings.is_empty()
            || orderings.iter().any(begins)
                && orderings.iter().all(is_named)
                && comment.contains("partner of")
    };
    (0..lines.len())
        .filter(|&index| !is_explained(index))
        .map(|index| index + 1)
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[usize]) {
    assert_eq!(unexplained(text), expected, "{text}");
}

#[test]
fn a_comment_begins_with_the_ordering_and_names_its_partner() {
    let load = "a.load(Ordering::Relaxed);\n";
    check(load, &[1]);
    check(&format!("// Relaxed: partner of nothing.\n{load}"), &[]);
    check(&format!("// Relaxed: as above.\n{load}"), &[2]);
    check(&format!("// Acquire: partner of nothing.\n{load}"), &[2]);
    check(
        &format!("// A figure. Relaxed: partner of nothing.\n{load}"),
        &[2],
    );
    check("a.load(SeqCst);", &[1]);
    let exchange = "a.swap_if(1, 2, Ordering::Acquire, Ordering::Relaxed);\n";
    check(&format!("// Acquire: partner of b.\n{exchange}"), &[2]);
    check(
        &format!("// Acquire: partner of b.\n// Relaxed on failure.\n{exchange}"),
        &[],
    );
}

#[test]
fn the_comment_of_another_statement_does_not_count() {
    let load = "a.load(Ordering::Relaxed);\n";
    check(
        &format!("// Relaxed: partner of nothing.\n{load}{load}"),
        &[3],
    );
    check(
        &format!("// Relaxed: partner of nothing.\nif b {{\n{load}}}"),
        &[3],
    );
}

#[test]
fn a_statement_may_have_several_lines() {
    let exchange = "a.b\n.swap(1,\n// Release: partner of c.\nOrdering::Release,\n);";
    check(exchange, &[]);
    check(
        "// Release: partner of c.\na\n.b\n.swap(1, Ordering::Release)",
        &[],
    );
}

#[test]
fn what_is_no_ordering_needs_none() {
    check("use std::sync::atomic::Ordering::SeqCst;", &[]);
    check("Op::Release(lease) => {", &[]);
    check("/// [`Ordering::Relaxed`]", &[]);
    check("a.cmp(b) == Ordering::Less", &[]);
}

#[test]
fn every_ordering_of_the_crates_is_explained() {
    let crates = crate::workspace_root().join("crates");
    let (mut explained, mut missing) = (0, Vec::new());
    for path in rust_source::files(&crates).unwrap() {
        let text = fs::read_to_string(&path).unwrap();
        explained += text.lines().filter(|line| !named(line).is_empty()).count();
        let lines = unexplained(&text);
        missing.extend(
            lines
                .iter()
                .map(|line| format!("{}:{line}", path.display())),
        );
    }
    assert!(explained > 100, "{explained}: does it still see them?");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
