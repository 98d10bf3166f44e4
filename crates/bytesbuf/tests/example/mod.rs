//! Where an example of this package is, as Cargo built it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// What Cargo made of the example `name`, in a file called `file`. Cargo builds it before
/// it runs all tests of the package, next to the test's own executable. If only one
/// test was asked for, it may be missing, or older than what it is made of: then it is
/// built here.
pub(crate) fn file(name: &str, file: &str) -> PathBuf {
    // target/<profile>/deps/<test>-<hash>
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let built = profile.join("examples").join(file);
    match built.metadata().and_then(|meta| meta.modified()) {
        Ok(made) if made >= newest_source(name) => built,
        _ => build(name),
    }
}

/// When the example's source, or that of the crates under it, was last changed.
fn newest_source(name: &str) -> SystemTime {
    fn newest(path: &Path) -> SystemTime {
        let Ok(entries) = std::fs::read_dir(path) else {
            let changed = path.metadata().and_then(|meta| meta.modified());
            return changed.unwrap_or(SystemTime::UNIX_EPOCH);
        };
        let all = entries.flatten().map(|entry| newest(&entry.path()));
        all.max().unwrap_or(SystemTime::UNIX_EPOCH)
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = format!("examples/{name}");
    let sources = [
        "src",
        &example,
        "../bytesbuf-core/src",
        "../bytesbuf-pool/src",
    ];
    sources
        .map(|path| newest(&here.join(path)))
        .into_iter()
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Builds the example in a target directory for tests, and asks Cargo where it is.
fn build(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(["--package", env!("CARGO_PKG_NAME"), "--example", name])
        .args(["--target-dir", env!("CARGO_TARGET_TMPDIR")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cannot build the example: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8(output.stdout).unwrap();
    // A library has no executable; its file is the only one of the last artifact.
    let path = ["\"executable\":\"", "\"filenames\":[\""]
        .into_iter()
        .find_map(|key| {
            messages
                .lines()
                .filter_map(|line| line.split_once(key)?.1.split_once('"'))
                .map(|(path, _)| path.replace("\\\\", "\\"))
                .next_back()
        });
    path.expect("cargo names the file").into()
}
