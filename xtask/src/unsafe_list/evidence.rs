//! What a row of the list says of its file: invariants that are written down in the crate,
//! and tests that are there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::rust_source;

/// A row with a file of one of the crates.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    /// Folder of the crate, from the root.
    package: &'a str,
    file: &'a str,
    invariants: &'a str,
    /// Of code that is no test.
    tests: Option<&'a str>,
}

/// What stands for tests without a name, and a text that the file has then.
const SAID: [(&str, &str); 4] = [
    ("in the file", "#[test]"),
    ("documentation example", "/// ```"),
    ("cargo xtask", ""),
    // Of models.
    ("itself", "#[test]"),
];

/// Crates that are tests throughout: their rows say what they run under.
const BESIDE: [&str; 2] = ["crates/fuzz", "crates/oracle"];

/// What is wrong, one line each.
pub(super) fn check(root: &Path, list: &str) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for row in list.lines().filter_map(row) {
        let crate_ = Crate::read(root, row.package)?;
        for invariant in invariants(row.invariants) {
            if !crate_.sources.contains(&format!("**{invariant}**")) {
                let Row { package, file, .. } = row;
                complaints.push(format!("{file}: no invariant {invariant} in {package}"));
            }
        }
        let Some(cell) = row.tests.filter(|_| !BESIDE.contains(&row.package)) else {
            continue;
        };
        let tests = tests(cell);
        for test in &tests {
            if !crate_.has(test) {
                complaints.push(format!("{}: there is no `{test}`", row.file));
            }
        }
        let mut has_evidence = !tests.is_empty();
        for (words, sign) in SAID {
            if cell.contains(words) {
                has_evidence = true;
                if !text_at(root, row.file)?.contains(sign) {
                    complaints.push(format!("{}: {words}? There is none", row.file));
                }
            }
        }
        if !has_evidence {
            complaints.push(format!("{}: no test is named", row.file));
        }
    }
    Ok(complaints)
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let file = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    let (package, _) = file
        .strip_prefix("crates/")?
        .split_once('/')
        .map(|(package, rest)| (&file[.."crates/".len() + package.len()], rest))?;
    Some(Row {
        package,
        file,
        invariants: cells.next()?,
        // A row ends in a bar, behind which there is nothing.
        tests: cells.next().filter(|_| cells.next().is_some()),
    })
}

/// `S1, S2`, or `S1 to S4`, in front of what they are about.
fn invariants(cell: &str) -> Vec<String> {
    let Some((named, _)) = cell.split_once(':') else {
        return Vec::new();
    };
    let mut found: Vec<(char, u32)> = Vec::new();
    let mut to = false;
    for word in named.split([' ', ',']).filter(|word| !word.is_empty()) {
        let mut signs = word.chars();
        let letter = signs.next().filter(char::is_ascii_uppercase);
        match (letter, signs.as_str().parse::<u32>()) {
            (Some(letter), Ok(number)) => {
                let first = match found.last() {
                    Some(&(before, first)) if to && before == letter => first + 1,
                    _ => number,
                };
                found.extend((first..=number).map(|number| (letter, number)));
            }
            _ => {
                to = word == "to";
                continue;
            }
        }
        to = false;
    }
    let named = found.into_iter();
    named
        .map(|(letter, number)| format!("{letter}{number}"))
        .collect()
}

/// Files, modules and functions between backticks, one for each of `{a,b}`.
fn tests(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let named = quoted.filter(|text| !text.contains(' ') && is_test(text));
    named.flat_map(alternatives).collect()
}

fn is_test(text: &str) -> bool {
    let is_name = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_';
    text.starts_with("tests/")
        || text.starts_with("model_tests")
        || text.starts_with("shuttle_tests")
        // Names of types are something else, and so are single words.
        || (text.contains('_') && text.chars().all(is_name))
}

fn alternatives(text: &str) -> Vec<String> {
    let Some((before, (inside, after))) = text
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return vec![text.to_owned()];
    };
    let each = inside.split(',').map(str::trim);
    each.map(|one| format!("{before}{one}{after}")).collect()
}

/// The texts of a crate.
struct Crate {
    dir: PathBuf,
    /// All that is below `src`.
    sources: String,
    /// All that is in the workspace's crates.
    everything: String,
}

impl Crate {
    fn read(root: &Path, package: &str) -> Result<Self> {
        let dir = root.join(package);
        Ok(Self {
            sources: text_below(&dir.join("src"))?,
            everything: text_below(&root.join("crates"))?,
            dir,
        })
    }

    fn has(&self, test: &str) -> bool {
        let mut parts = test.split("::");
        let first = parts.next().unwrap_or(test);
        let (path, function) = if first.starts_with("tests/") {
            (first.to_owned(), parts.next())
        } else if first.ends_with("_tests") {
            // A folder of models, a file of it, one of them.
            let file = parts
                .next()
                .map_or(String::new(), |file| format!("/{file}"));
            (format!("src/{first}{file}"), parts.next())
        } else {
            return declares(&self.everything, test);
        };
        let Some(file) = self.file(&path) else {
            return false;
        };
        function.is_none_or(|function| {
            fs::read_to_string(file).is_ok_and(|text| declares(&text, function))
        })
    }

    /// The file of a module, by its path without what it ends in.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let path = path.trim_end_matches(".rs");
        let ends = [".rs", "/mod.rs", "/main.rs"];
        let mut files = ends.iter().map(|end| self.dir.join(format!("{path}{end}")));
        files.find(|file| file.is_file())
    }
}

/// The text of a file, or of all below a folder.
fn text_at(root: &Path, path: &str) -> Result<String> {
    let path = root.join(path);
    if path.is_dir() {
        return text_below(&path);
    }
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

fn declares(text: &str, function: &str) -> bool {
    text.contains(&format!("fn {function}("))
}

fn text_below(dir: &Path) -> Result<String> {
    let mut all = String::new();
    for path in rust_source::files(dir)? {
        let text = fs::read_to_string(&path);
        all += &text.with_context(|| path.display().to_string())?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_crates_are_read() {
        let read = row("| `crates/c/src/a.rs` | S1: x | `tests/it/a` |").unwrap();
        assert_eq!(
            read,
            Row {
                package: "crates/c",
                file: "crates/c/src/a.rs",
                invariants: "S1: x",
                tests: Some("`tests/it/a`")
            }
        );
        let of_a_test = row("| `crates/c/tests/a.rs` | plays a provider |").unwrap();
        assert_eq!(of_a_test.tests, None);
        assert_eq!(row("| file | invariants | tests |"), None);
        assert_eq!(row("| `benches/b/src/a.rs` | S1: x | y |"), None);
    }

    #[test]
    fn invariants_are_those_in_front_of_the_colon() {
        assert_eq!(invariants("S1, S2: of W9"), ["S1", "S2"]);
        assert_eq!(invariants("S1 to S3, B1: x"), ["S1", "S2", "S3", "B1"]);
        assert!(invariants("none kept: the caller's").is_empty());
        assert!(invariants("the contract of S1").is_empty());
    }

    #[test]
    fn tests_are_files_modules_and_names() {
        let cell = "`tests/it/{a,b}`, `model_tests`, some `BytesBuf`; `a_name`, `cargo xtask x_y`";
        assert_eq!(
            tests(cell),
            ["tests/it/a", "tests/it/b", "model_tests", "a_name"]
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        let root = crate::workspace_root();
        let check = |row: &str| check(&root, row).unwrap().join("\n");
        let file = "crates/bytesbuf-core/src/block_ref.rs";
        let good = "`tests/it/handles`, `model_tests::{release,stock}`, `tests/contracts.rs`";
        assert_eq!(check(&format!("| `{file}` | H1 to H3: x | {good} |")), "");
        for (invariants, tests, expected) in [
            ("H1 to H9: x", "", "no invariant H4"),
            ("H1: x", "all of them, and the oracle", "no test is named"),
            ("H1: x", "`tests/it/nothing`", "no `tests/it/nothing`"),
            (
                "H1: x",
                "`tests/contracts.rs::nothing`",
                "no `tests/contracts.rs::nothing`",
            ),
            (
                "H1: x",
                "`model_tests::nothing`",
                "no `model_tests::nothing`",
            ),
            (
                "H1: x",
                "`such_a_test_is_nowhere`",
                "no `such_a_test_is_nowhere`",
            ),
        ] {
            let said = check(&format!("| `{file}` | {invariants} | {tests} |"));
            assert!(said.contains(expected), "{said}");
        }
        let said = check("| `crates/bytesbuf-core/src/owned.rs` | O1: x | tests in the file |");
        assert!(said.contains("in the file? There is none"), "{said}");
    }
}
