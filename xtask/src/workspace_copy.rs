//! A copy of the workspace, to break.
//!
//! Files that are as they should be are left alone, so that a build there starts
//! from what a former run has built; what a former run has broken is put right.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What a build of the libraries, their tests and the tools reads.
const PARTS: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "ARCHITECTURE.md",
    "docs",
    "crates",
    "benches",
    "xtask",
];

/// Makes `to` a copy of the workspace at `from`, but for the build products in
/// either.
pub(crate) fn refresh(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for part in PARTS {
        let (from, to) = (from.join(part), to.join(part));
        mirror(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

fn mirror(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        mirror_directory(from, to)
    } else if from.exists() {
        mirror_file(from, to)
    } else {
        remove(to)
    }
}

fn mirror_directory(from: &Path, to: &Path) -> Result<()> {
    if !to.is_dir() {
        remove(to)?;
        fs::create_dir_all(to)?;
    }
    for entry in fs::read_dir(to)? {
        let name = entry?.file_name();
        if name != "target" && !from.join(&name).exists() {
            remove(&to.join(&name))?;
        }
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if name != "target" {
            mirror(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

/// Leaves a file of the same content alone: cargo goes by its date.
fn mirror_file(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from)?;
    if to.is_file() && fs::read(to)? == content {
        return Ok(());
    }
    remove(to)?;
    fs::write(to, content)?;
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace and a place for its copy, removed in the end.
    struct Place(xshell::TempDir);

    impl Place {
        fn new() -> Self {
            let place = Self(xshell::Shell::new().unwrap().create_temp_dir().unwrap());
            place.write("from/Cargo.toml", "[workspace]");
            place.write("from/crates/one/src/lib.rs", "fn f() {}");
            place
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn read(&self, path: &str) -> Option<String> {
            fs::read_to_string(self.0.path().join(path)).ok()
        }

        fn refresh(&self) {
            let root = self.0.path();
            refresh(&root.join("from"), &root.join("to")).unwrap();
        }
    }

    #[test]
    fn what_was_broken_is_put_right_and_what_was_built_stays() {
        let place = Place::new();
        place.refresh();
        assert_eq!(
            place.read("to/crates/one/src/lib.rs").as_deref(),
            Some("fn f() {}")
        );
        place.write("to/crates/one/src/lib.rs", "broken");
        place.write("to/crates/one/src/new.rs", "broken");
        place.write("to/crates/one/target/built", "built");
        place.write("to/target/built", "built");
        place.write("from/crates/one/target/other", "built");
        place.refresh();
        assert_eq!(
            place.read("to/crates/one/src/lib.rs").as_deref(),
            Some("fn f() {}")
        );
        assert_eq!(place.read("to/crates/one/src/new.rs"), None);
        assert!(place.read("to/crates/one/target/built").is_some());
        assert!(place.read("to/target/built").is_some());
        assert_eq!(place.read("to/crates/one/target/other"), None);
    }

    #[test]
    fn what_is_gone_goes_from_the_copy() {
        let place = Place::new();
        place.refresh();
        fs::remove_dir_all(place.0.path().join("from/crates/one")).unwrap();
        place.write("from/crates/one", "a file now");
        fs::remove_file(place.0.path().join("from/Cargo.toml")).unwrap();
        place.refresh();
        assert_eq!(place.read("to/crates/one").as_deref(), Some("a file now"));
        assert_eq!(place.read("to/Cargo.toml"), None);
    }

    #[test]
    fn files_that_are_the_same_keep_their_date() {
        let place = Place::new();
        place.refresh();
        let date = || {
            let path = place.0.path().join("to/Cargo.toml");
            fs::metadata(path).unwrap().modified().unwrap()
        };
        let before = date();
        place.refresh();
        assert_eq!(date(), before);
    }
}
