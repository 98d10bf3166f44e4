//! The patch works: there is one `bytesbuf` in the graph, and it is ours.

use std::path::Path;
use std::process::Command;

#[test]
fn every_user_of_bytesbuf_gets_ours() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--workspace",
            "--invert",
            "bytesbuf",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--no-dedupe"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    // With two of that name the command asks which one is meant.
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();

    let ours = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../bytesbuf")
        .canonicalize()
        .unwrap();
    let root = tree.lines().next().unwrap();
    assert!(root.starts_with("bytesbuf v0.4."), "{root}");
    assert!(
        root.contains(&format!("({})", ours.display())),
        "{root} is not in {}",
        ours.display()
    );

    for user in [
        "bytesbuf_io v0.4.0",
        "cachet v0.3.0",
        "http_extensions v0.2.",
        "http_extensions v0.3.",
        "compat-client v",
    ] {
        assert!(
            tree.lines().any(|line| line.starts_with(user)),
            "{user} does not use it:\n{tree}"
        );
    }
}
