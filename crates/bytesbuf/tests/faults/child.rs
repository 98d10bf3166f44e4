//! Tests that end their process run in one of their own.
#![cfg(not(miri))]

use std::process::Command;

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// By a call of `abort`, not by a failed test or a fault of memory.
    pub(crate) aborted: bool,
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs an ignored test of this binary, by its name with the module, with variables.
pub(crate) fn run(test: &str, variables: &[(&str, String)]) -> Ended {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
            test,
        ])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        stdout.contains("running 1 test"),
        "no test {test}: {stdout}"
    );
    Ended {
        aborted: is_abort(output.status),
        success: output.status.success(),
        stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[cfg(unix)]
fn is_abort(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    status.signal() == Some(SIGABRT)
}

/// The harness ends with 101 if a test fails.
#[cfg(not(unix))]
fn is_abort(status: std::process::ExitStatus) -> bool {
    !status.success() && status.code() != Some(101)
}
