//! One weakened ordering, or one fence removed.

use std::fmt;
use std::ops::Range;

use anyhow::Result;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::rust_source::{as_group, is_ident, is_punct, tokens};

/// One change to one file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mutant {
    /// Path from the workspace root.
    pub(super) file: String,
    line: usize,
    /// Bytes of the file that are replaced.
    range: Range<usize>,
    replacement: &'static str,
    what: String,
}

impl Mutant {
    pub(super) fn apply(&self, text: &str) -> String {
        let mut mutated = text.to_owned();
        mutated.replace_range(self.range.clone(), self.replacement);
        mutated
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}  {}", self.file, self.line, self.what)
    }
}

/// What there is in a file, in its order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) mutants: Vec<Mutant>,
    /// Lines of fences for the compiler alone.
    pub(super) compiler_fences: Vec<usize>,
}

/// All mutants of a file. Inline test modules, the definition of a function `fence`
/// and fences for the compiler are left alone.
pub(super) fn find(file: &str, text: &str) -> Result<Found> {
    let mut finder = Finder {
        file,
        found: Found::default(),
    };
    finder.walk(tokens(text)?, false);
    Ok(finder.found)
}

/// What a weaker ordering may be. A fence cannot be relaxed: it is removed
/// instead.
fn weaker(ordering: &str, in_fence: bool) -> &'static [&'static str] {
    match (ordering, in_fence) {
        ("Release" | "Acquire" | "SeqCst", false) => &["Relaxed"],
        ("AcqRel", _) => &["Acquire", "Release"],
        ("SeqCst", true) => &["AcqRel"],
        _ => &[],
    }
}

struct Finder<'a> {
    file: &'a str,
    found: Found,
}

impl Finder<'_> {
    fn walk(&mut self, tokens: TokenStream, in_fence: bool) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut i = 0;
        while i < trees.len() {
            let rest = &trees[i..];
            if is_test_module(rest) {
                i += 3;
                continue;
            }
            if let Some((TokenTree::Ident(name), weaker)) = ordering(rest, in_fence) {
                for weaker in weaker {
                    self.push(
                        name.span().byte_range(),
                        name,
                        weaker,
                        format!("{name} -> {weaker}"),
                    );
                }
            }
            // Loom has no compiler to fence: nothing to learn.
            if is_ident(rest.first(), "compiler_fence")
                && as_group(rest.get(1), Delimiter::Parenthesis).is_some()
            {
                let line = rest[0].span().start().line;
                self.found.compiler_fences.push(line);
                i += 2;
                continue;
            }
            let defines = i > 0 && is_ident(trees.get(i - 1), "fn");
            if is_ident(rest.first(), "fence") && !defines {
                if let Some(arguments) = as_group(rest.get(1), Delimiter::Parenthesis) {
                    let (start, end) = (rest[0].span().byte_range(), arguments.span().byte_range());
                    if let TokenTree::Ident(name) = &rest[0] {
                        self.push(start.start..end.end, name, "()", "fence removed".to_owned());
                    }
                    self.walk(arguments.stream(), true);
                    i += 2;
                    continue;
                }
            }
            if let TokenTree::Group(group) = &rest[0] {
                self.walk(group.stream(), in_fence);
            }
            i += 1;
        }
    }

    fn push(
        &mut self,
        range: Range<usize>,
        at: &proc_macro2::Ident,
        replacement: &'static str,
        what: String,
    ) {
        self.found.mutants.push(Mutant {
            file: self.file.to_owned(),
            line: at.span().start().line,
            range,
            replacement,
            what,
        });
    }
}

/// `mod tests { .. }`
fn is_test_module(trees: &[TokenTree]) -> bool {
    is_ident(trees.first(), "mod")
        && is_ident(trees.get(1), "tests")
        && as_group(trees.get(2), Delimiter::Brace).is_some()
}

/// The name in `Ordering::Name`, and what is weaker.
fn ordering(trees: &[TokenTree], in_fence: bool) -> Option<(&TokenTree, &'static [&'static str])> {
    let starts = is_ident(trees.first(), "Ordering")
        && is_punct(trees.get(1), ':')
        && is_punct(trees.get(2), ':');
    let name = trees.get(3).filter(|_| starts)?;
    Some((name, weaker(&name.to_string(), in_fence)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str, &str)]) {
        let found: Vec<(usize, String, String)> = find("f.rs", text)
            .unwrap()
            .mutants
            .iter()
            .map(|mutant| (mutant.line, mutant.what.clone(), mutant.apply(text)))
            .collect();
        let expected: Vec<(usize, String, String)> = expected
            .iter()
            .map(|(line, what, text)| (*line, (*what).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn accesses_become_relaxed() {
        check(
            "\nfn f() { a.load(Ordering::Acquire) }",
            &[(
                2,
                "Acquire -> Relaxed",
                "\nfn f() { a.load(Ordering::Relaxed) }",
            )],
        );
        check(
            "fn f() { a.store(1, Ordering::SeqCst) }",
            &[(
                1,
                "SeqCst -> Relaxed",
                "fn f() { a.store(1, Ordering::Relaxed) }",
            )],
        );
        check("fn f() { a.load(Ordering::Relaxed) }", &[]);
    }

    #[test]
    fn a_two_sided_ordering_loses_one_side_at_a_time() {
        check(
            "a.swap(1, Ordering::AcqRel)",
            &[
                (1, "AcqRel -> Acquire", "a.swap(1, Ordering::Acquire)"),
                (1, "AcqRel -> Release", "a.swap(1, Ordering::Release)"),
            ],
        );
    }

    #[test]
    fn fences_are_removed_or_lose_a_side_but_never_relaxed() {
        check("fence(Ordering::Acquire);", &[(1, "fence removed", "();")]);
        check(
            "fence(Ordering::SeqCst);",
            &[
                (1, "fence removed", "();"),
                (1, "SeqCst -> AcqRel", "fence(Ordering::AcqRel);"),
            ],
        );
        check("fn fence(ordering: Ordering) {}", &[]);
        check("compiler_fence(Ordering::SeqCst);", &[]);
        let found = find("f.rs", "\ncompiler_fence(Ordering::SeqCst);").unwrap();
        assert_eq!(found.compiler_fences, [2]);
    }

    #[test]
    fn comments_strings_and_tests_are_left_alone() {
        check("// a.load(Ordering::Acquire)", &[]);
        check("const S: &str = \"Ordering::Acquire\";", &[]);
        check("mod tests { fn f() { a.load(Ordering::Acquire) } }", &[]);
        check("mod tests; fn g() { cmp(Ordering::Less) }", &[]);
    }
}
