//! Runs every program of the corpus once, and those that have failed before.
//!
//! `FUZZ_INPUT=<file> cargo test --test replay one_input -- --nocapture` runs one file
//! and prints its program, as each target that `FUZZ_TARGET` is a part of the name of.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use bytesbuf_fuzz::{TARGETS, Target};

fn replay(target: Target, path: &Path) -> bool {
    let input = fs::read(path).unwrap();
    catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).unwrap_or_else(|payload| {
        eprintln!("{} failed on {}:", target.name, path.display());
        eprintln!("{}", (target.show)(&input).unwrap_or_default());
        resume_unwind(payload)
    })
}

/// The files of a folder, in order.
fn files(folder: &str, target: Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(target.name);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[track_caller]
fn check(name: &str) {
    let target = *TARGETS.iter().find(|target| target.name == name).unwrap();
    let corpus = files("corpus", target);
    let programs = corpus.iter().filter(|path| replay(target, path)).count();
    assert!(
        programs >= 20,
        "{programs} programs in {} files",
        corpus.len()
    );
    let crashes = files("crashes", target);
    for path in &crashes {
        assert!(replay(target, path), "{} is no program", path.display());
    }
    println!(
        "{name}: {programs} programs, {} that once failed",
        crashes.len()
    );
}

macro_rules! replayed {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                check(stringify!($target));
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            let replayed = [$(stringify!($target)),*];
            for target in TARGETS {
                assert!(replayed.contains(&target.name), "{} is not", target.name);
            }
        }
    };
}

replayed! { view_algebra buffer_algebra bytes_interop budget_and_trim provider }

/// For a file that is not committed; does nothing without one.
#[test]
fn one_input() {
    let Some(path) = std::env::var_os("FUZZ_INPUT") else {
        return;
    };
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    for target in TARGETS.iter().filter(|target| target.name.contains(&name)) {
        let input = fs::read(&path).unwrap();
        eprintln!(
            "{}:\n{}",
            target.name,
            (target.show)(&input).unwrap_or_default()
        );
        replay(*target, Path::new(&path));
    }
}
