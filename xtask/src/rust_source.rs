//! Rust source as tokens, for checks that must not trip over comments, strings
//! and examples in documentation.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Tokens of a source text, with byte positions in it.
pub(crate) fn tokens(text: &str) -> Result<TokenStream> {
    text.parse().map_err(|error| anyhow!("not Rust: {error}"))
}

/// All `.rs` files below a directory, sorted; none if it does not exist. Left out are
/// hidden directories and those that cargo builds in.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(dir, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if !is_hidden(&path) && !is_built(&path) {
                collect(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn is_hidden(dir: &Path) -> bool {
    dir.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether cargo builds in it. A module may be called `target`, too.
fn is_built(dir: &Path) -> bool {
    dir.ends_with("target") && dir.with_file_name("Cargo.toml").is_file()
}

pub(crate) fn is_ident(tree: Option<&TokenTree>, name: &str) -> bool {
    matches!(tree, Some(TokenTree::Ident(ident)) if ident == name)
}

pub(crate) fn is_punct(tree: Option<&TokenTree>, punct: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(p)) if p.as_char() == punct)
}

pub(crate) fn as_group(tree: Option<&TokenTree>, delimiter: Delimiter) -> Option<&Group> {
    match tree {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// Whether there is code that the lint `unsafe_code` would flag: the keyword
/// anywhere but in a function pointer type.
pub(crate) fn has_unsafe_code(tokens: TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    trees.iter().enumerate().any(|(i, tree)| match tree {
        TokenTree::Ident(ident) if ident == "unsafe" => !is_pointer_type(&trees[i + 1..]),
        TokenTree::Group(group) => has_unsafe_code(group.stream()),
        _ => false,
    })
}

/// `fn (..)` or `extern ".." fn (..)`, after `unsafe`: a type, not a definition.
fn is_pointer_type(after: &[TokenTree]) -> bool {
    let Some(at) = after
        .iter()
        .take(3)
        .position(|tree| is_ident(Some(tree), "fn"))
    else {
        return false;
    };
    as_group(after.get(at + 1), Delimiter::Parenthesis).is_some()
}

/// Whether there is an `expect(unsafe_code, ..)`, for the file or for an item in
/// it. (That it covers all of the unsafe code is the compiler's business: the lint
/// is denied.)
pub(crate) fn opts_into_unsafe(tokens: TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    trees.iter().enumerate().any(|(i, tree)| match tree {
        TokenTree::Punct(punct) if punct.as_char() == '#' => {
            let bang = usize::from(is_punct(trees.get(i + 1), '!'));
            as_group(trees.get(i + 1 + bang), Delimiter::Bracket).is_some_and(is_expect_unsafe)
        }
        TokenTree::Group(group) => opts_into_unsafe(group.stream()),
        _ => false,
    })
}

fn is_expect_unsafe(attribute: &Group) -> bool {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    is_ident(trees.first(), "expect")
        && as_group(trees.get(1), Delimiter::Parenthesis).is_some_and(|lints| {
            let lints: Vec<TokenTree> = lints.stream().into_iter().collect();
            lints.iter().any(|tree| is_ident(Some(tree), "unsafe_code"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_unsafe(text: &str, expected: bool) {
        assert_eq!(has_unsafe_code(tokens(text).unwrap()), expected, "{text}");
    }

    #[test]
    fn unsafe_code_is_found_and_talk_about_it_is_not() {
        check_unsafe("fn f() { unsafe { g() } }", true);
        check_unsafe("unsafe impl Send for T {}", true);
        check_unsafe("unsafe trait T {}", true);
        check_unsafe("impl T { pub const unsafe fn f() {} }", true);
        check_unsafe("macro_rules! m { () => { unsafe { g() } } }", true);
        check_unsafe("unsafe extern \"C\" fn f() {}", true);
        check_unsafe("// unsafe { g() }\nfn f() {}", false);
        check_unsafe("/// ```\n/// unsafe { g() }\n/// ```\nfn f() {}", false);
        check_unsafe("const S: &str = \"unsafe { }\";", false);
        check_unsafe("type F = unsafe fn(u8);", false);
        check_unsafe("type F = unsafe extern \"C\" fn(u8);", false);
        check_unsafe("#![expect(unsafe_code)] fn f() {}", false);
    }

    #[test]
    fn what_cargo_has_built_is_no_source() {
        let root = crate::workspace_root();
        assert!(is_built(&root.join("target")));
        assert!(!is_built(&root.join("xtask/src/target")));
        assert!(!is_built(&root.join("crates")));
        assert!(is_hidden(&root.join(".git")));
        assert!(!is_hidden(&root.join("crates")));
    }

    #[track_caller]
    fn check_opts_in(text: &str, expected: bool) {
        assert_eq!(opts_into_unsafe(tokens(text).unwrap()), expected, "{text}");
    }

    #[test]
    fn only_an_expectation_opts_in() {
        check_opts_in(
            "//! Doc.\n#![expect(unsafe_code, reason = \"x\")]\nfn f() {}",
            true,
        );
        check_opts_in("#![expect(dead_code, unsafe_code)]", true);
        check_opts_in("#![allow(unsafe_code)]", false);
        check_opts_in("#[expect(unsafe_code)] fn f() {}", true);
        check_opts_in("mod m { #[expect(unsafe_code)] fn f() {} }", true);
        check_opts_in("fn f() { expect(unsafe_code) }", false);
        check_opts_in("// #![expect(unsafe_code)]", false);
        check_opts_in("#![expect(dead_code)]", false);
    }
}
