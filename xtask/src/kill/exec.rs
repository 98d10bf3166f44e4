//! Runs a command for so long and no longer, with all that it prints in a file.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::verdict::{End, How};

/// Between two looks at whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn run(mut command: Command, limit: Duration, log: &Path) -> Result<End> {
    let file = File::create(log).with_context(|| log.display().to_string())?;
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    // A group of its own, so that what it starts ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let how = match wait(&mut child, limit)? {
        Some(status) if status.success() => How::Success,
        Some(_) => How::Failure,
        None => {
            end_group(&mut child)?;
            How::TooLong
        }
    };
    let output = fs::read(log).with_context(|| log.display().to_string())?;
    let output = String::from_utf8_lossy(&output).into_owned();
    Ok(End { how, output })
}

/// How it ended, or `None` if it has not when its time is up.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

fn end_group(child: &mut Child) -> Result<()> {
    #[cfg(unix)]
    Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .status()
        .context("cannot run `kill`")?;
    #[cfg(not(unix))]
    child.kill()?;
    child.wait()?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> End {
        let place = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, limit, &place.path().join("log")).unwrap()
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn both_streams_are_kept_and_the_status_counts() {
        let end = sh("echo out; echo err >&2", LONG);
        assert_eq!((end.how, end.output.as_str()), (How::Success, "out\nerr\n"));
        assert_eq!(sh("exit 3", LONG).how, How::Failure);
        assert_eq!(sh("kill -SEGV $$", LONG).how, How::Failure);
    }

    #[test]
    fn what_takes_too_long_is_ended_with_what_it_started() {
        let end = sh("sleep 600 & echo $!; wait", Duration::from_millis(500));
        assert_eq!(end.how, How::TooLong);
        let sleeper = end.output.trim();
        assert!(!sleeper.is_empty(), "{}", end.output);
        // Killed, it may take the system a moment to be gone. It would live for 600 s.
        let is_alive = || {
            let answers = Command::new("kill").args(["-0", sleeper]).output().unwrap();
            let state = fs::read_to_string(format!("/proc/{sleeper}/stat"));
            let is_zombie = state.is_ok_and(|state| state.contains(") Z"));
            answers.status.success() && !is_zombie
        };
        let gone = (0..1500).any(|_| {
            thread::sleep(PAUSE);
            !is_alive()
        });
        assert!(gone, "{sleeper} lives on");
    }
}
