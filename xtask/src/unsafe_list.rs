//! Files with unsafe code: each opts in, and each is listed in docs/UNSAFE.md, with
//! invariants that its crate has and tests that are there.
//!
//! All of the repository's: tests, benchmarks and crates that are workspaces of their own
//! as well.

mod evidence;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::rust_source;
use crate::steps::Steps;

const LIST: &str = "docs/UNSAFE.md";

/// Directories with sources. One that is not here fails the check.
const TOP: [&str; 3] = ["benches/", "crates/", "xtask/"];

/// What the check needs to know of a source file.
#[derive(Clone, Copy, Debug)]
struct Source {
    has_unsafe: bool,
    opts_in: bool,
}

/// Sources by path from the workspace root, with `/` between the parts.
type Sources = BTreeMap<String, Source>;

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("unsafe-list", |_, root| {
        let sources = read_sources(root)?;
        let list =
            fs::read_to_string(root.join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
        let with_unsafe = sources.values().filter(|source| source.has_unsafe).count();
        eprintln!("{with_unsafe} of {} files hold unsafe code", sources.len());
        let mut complaints = check(&sources, &listed_paths(&list));
        complaints.extend(evidence::check(root, &list)?);
        if !complaints.is_empty() {
            bail!("{}", complaints.join("\n"));
        }
        Ok(())
    })
}

/// All sources below the root but what was built.
fn read_sources(root: &Path) -> Result<Sources> {
    let mut sources = Sources::new();
    for path in rust_source::files(root)? {
        let text = fs::read_to_string(&path)?;
        let tokens = rust_source::tokens(&text)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let name: Vec<_> = path
            .strip_prefix(root)?
            .iter()
            .map(|part| part.to_string_lossy())
            .collect();
        let source = Source {
            has_unsafe: rust_source::has_unsafe_code(tokens.clone()),
            opts_in: rust_source::opts_into_unsafe(tokens),
        };
        sources.insert(name.join("/"), source);
    }
    Ok(sources)
}

/// Paths that the list names: whatever stands between backticks and begins with one of
/// the directories. One that ends in `/` stands for all files below it.
fn listed_paths(list: &str) -> BTreeSet<String> {
    list.split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| TOP.iter().any(|top| quoted.starts_with(top)))
        .map(str::to_owned)
        .collect()
}

/// What is wrong, one line each.
fn check(sources: &Sources, listed: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, source) in sources {
        if !source.has_unsafe {
            continue;
        }
        if !source.opts_in && !parent_opts_in(sources, path) {
            complaints.push(format!(
                "{path}: unsafe code without expect(unsafe_code, reason = \"..\")]"
            ));
        }
        if !listed.iter().any(|entry| covers(entry, path)) {
            complaints.push(format!("{path}: unsafe code, but not listed in {LIST}"));
        }
    }
    for entry in listed {
        let stands = sources
            .iter()
            .any(|(path, source)| source.has_unsafe && covers(entry, path));
        if !stands {
            complaints.push(format!("{LIST}: lists {entry}, which holds no unsafe code"));
        }
    }
    complaints
}

fn covers(entry: &str, path: &str) -> bool {
    entry == path || (entry.ends_with('/') && path.starts_with(entry))
}

/// Whether a file above `path` opts in for all that is below it: a module, or the root
/// of a test program or an example.
fn parent_opts_in(sources: &Sources, path: &str) -> bool {
    let mut dir = path;
    while let Some((parent, _)) = dir.rsplit_once('/') {
        let modules = ["/mod.rs", "/main.rs", ".rs"].map(|end| format!("{parent}{end}"));
        let opts_in = |module: &String| sources.get(module).is_some_and(|source| source.opts_in);
        if modules.iter().any(opts_in) {
            return true;
        }
        dir = parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(has_unsafe: bool, opts_in: bool) -> Source {
        Source {
            has_unsafe,
            opts_in,
        }
    }

    #[track_caller]
    fn check_list(files: &[(&str, Source)], list: &str, expected: &[&str]) {
        let sources = files
            .iter()
            .map(|(path, source)| ((*path).to_owned(), *source))
            .collect();
        let complaints = check(&sources, &listed_paths(list));
        assert_eq!(complaints.len(), expected.len(), "{complaints:?}");
        for (complaint, part) in complaints.iter().zip(expected) {
            assert!(complaint.contains(part), "{complaint:?} lacks {part:?}");
        }
    }

    #[test]
    fn each_file_opts_in_and_is_listed() {
        let a = "crates/c/src/a.rs";
        let list = "| `crates/c/src/a.rs` | H1 |";
        check_list(&[(a, source(true, true))], list, &[]);
        check_list(&[(a, source(true, false))], list, &["without expect"]);
        check_list(&[(a, source(true, true))], "", &["not listed"]);
        check_list(
            &[(a, source(true, true))],
            "crates/c/src/a.rs",
            &["not listed"],
        );
        check_list(&[(a, source(false, false))], list, &["no unsafe code"]);
        check_list(&[], list, &["no unsafe code"]);
    }

    #[test]
    fn a_directory_is_covered_by_its_module_and_its_entry() {
        let list = "`crates/c/src/m/`";
        let m = "crates/c/src/m/mod.rs";
        let file = "crates/c/src/m/file.rs";
        check_list(
            &[(m, source(true, true)), (file, source(true, false))],
            list,
            &[],
        );
        let old_style = "crates/c/src/m.rs";
        check_list(
            &[
                (old_style, source(false, true)),
                (file, source(true, false)),
            ],
            list,
            &[],
        );
        check_list(
            &[(m, source(false, false)), (file, source(true, false))],
            list,
            &["without expect"],
        );
    }

    #[test]
    fn sources_of_every_kind_of_crate_are_found() {
        let sources = read_sources(&crate::workspace_root()).unwrap();
        for path in [
            "crates/bytesbuf-core/src/vtable.rs",
            "crates/bytesbuf-pool/tests/checked_alloc.rs",
            "crates/bytesbuf/examples/plugin/lib.rs",
            // These are workspaces of their own.
            "crates/oracle/tests/round_trips.rs",
            "benches/peers/src/peer/vec.rs",
        ] {
            let found = sources.get(path);
            assert!(found.is_some_and(|source| source.has_unsafe), "{path}");
        }
        for path in [
            "crates/fuzz/fuzz_targets/provider.rs",
            "benches/counts/src/lib.rs",
            "xtask/src/unsafe_list.rs",
        ] {
            let found = sources.get(path);
            assert!(found.is_some_and(|source| !source.has_unsafe), "{path}");
        }
        assert!(sources.keys().all(|path| !path.starts_with("target/")));
    }

    #[test]
    fn a_file_outside_of_the_libraries_is_listed_like_any_other() {
        for file in [
            "benches/b/src/a.rs",
            "crates/f/tests/a.rs",
            "xtask/src/a.rs",
        ] {
            check_list(&[(file, source(true, true))], "", &["not listed"]);
            check_list(&[(file, source(true, true))], &format!("`{file}`"), &[]);
            check_list(
                &[(file, source(false, false))],
                &format!("`{file}`"),
                &["no unsafe code"],
            );
        }
    }

    #[test]
    fn the_root_of_a_test_program_covers_its_modules() {
        let list = "`crates/c/tests/it/`";
        let (root, file) = ("crates/c/tests/it/main.rs", "crates/c/tests/it/file.rs");
        for (opts_in, expected) in [(true, &[][..]), (false, &["without expect"])] {
            let files = [(root, source(false, opts_in)), (file, source(true, false))];
            check_list(&files, list, expected);
        }
    }
}
