//! The relay example as its user sees it: exit status, messages, table.
#![cfg(all(feature = "std", not(miri), not(bytesbuf_loom)))]
// It may build the example, which these need a target and other flags for.
#![cfg(not(any(
    bytesbuf_sanitize = "address",
    bytesbuf_sanitize = "leak",
    bytesbuf_sanitize = "memory",
    bytesbuf_sanitize = "thread",
)))]

mod example;

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What one run left.
struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Run {
    /// The value in the table's row `name`, which is padded to the value's column.
    #[track_caller]
    fn row(&self, name: &str) -> &str {
        let Some(row) = self
            .stdout
            .lines()
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix("  "))
        else {
            panic!("no row {name:?} in:\n{}{}", self.stdout, self.stderr)
        };
        let row = row.trim_start();
        row.split("  ").next().unwrap_or(row)
    }

    /// Fails unless the process ended with `status` and said `message` in a line
    /// that begins with its name.
    #[track_caller]
    fn failed(&self, status: i32, message: &str) {
        assert_eq!(self.status, Some(status), "stderr: {}", self.stderr);
        assert!(
            self.stderr
                .lines()
                .any(|line| line.starts_with("relay: ") && line.contains(message)),
            "no {message:?} in stderr: {}",
            self.stderr
        );
    }
}

fn relay(args: &[&str]) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(binary()).args(args).output().unwrap();
    Run {
        status: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// The example's executable.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let name = format!("relay{}", std::env::consts::EXE_SUFFIX);
        example::file("relay", &name)
    })
}

/// A file that is gone at the end of its test.
struct Temp(PathBuf);

impl Temp {
    /// `len` bytes without a period that a frame size could hide.
    fn with(name: &str, len: usize) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("relay-{}-{name}", std::process::id()));
        let mut state = 1_u32;
        let content: Vec<u8> = (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        File::create(&path).unwrap().write_all(&content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Streams `len` bytes `rounds` times from each client, and looks at each count.
#[track_caller]
fn arrives(len: usize, clients: usize, rounds: usize, frame_size: usize) {
    let file = Temp::with(&format!("{len}-{clients}-{rounds}-{frame_size}"), len);
    let run = relay(&[
        file.path(),
        &format!("--clients={clients}"),
        &format!("--rounds={rounds}"),
        &format!("--frame-size={frame_size}"),
    ]);
    assert_eq!(run.status, Some(0), "stderr: {}", run.stderr);
    assert_eq!(run.row("digests"), format!("{clients}/{clients} ok"));
    let frames = run.row("frames").replace(',', "");
    let expected = clients * rounds * len.div_ceil(frame_size);
    assert_eq!(frames, expected.to_string());
    assert_eq!(run.row("payload copied"), "0 B");
    assert_eq!(
        run.row("pool in use, end"),
        "0 B",
        "a block was not given back"
    );
    let cached = run.row("pool cached, end");
    assert_eq!(cached == "0 B", cfg!(bytesbuf_pass_through), "{cached}");
}

#[test]
fn streams_arrive_whatever_the_frame_size() {
    arrives(1, 1, 1, 1);
    arrives(3_000, 2, 2, 1);
    arrives(300_001, 2, 3, 64);
    arrives(300_001, 1, 2, 777);
    // One byte more and one less than the pool's largest block.
    arrives(300_001, 2, 3, 65_537);
    arrives(300_001, 2, 3, 65_535);
    arrives(3_000_000, 2, 2, 1_048_576);
    // A frame that no file fills.
    arrives(300_001, 1, 3, 16 * 1024 * 1024);
}

#[test]
fn many_clients_share_the_pool() {
    arrives(300_001, 16, 4, 4_096);
}

#[test]
fn a_file_too_large_to_be_held_is_streamed_in_pieces() {
    let file = Temp::with("large", 1_000);
    let len = 64 * 1024 * 1024 + 1_000_u64;
    // The rest is a hole.
    File::options()
        .write(true)
        .open(&file.0)
        .unwrap()
        .set_len(len)
        .unwrap();
    let run = relay(&[
        file.path(),
        "--clients=1",
        "--rounds=1",
        "--frame-size=1000000",
    ]);
    assert_eq!(run.status, Some(0), "stderr: {}", run.stderr);
    assert_eq!(run.row("frames"), len.div_ceil(1_000_000).to_string());
    assert_eq!(run.row("digests"), "1/1 ok");
    assert!(
        run.row("pool in use, peak").ends_with(" MiB"),
        "no sample taken"
    );
    let peak: f64 = run
        .row("pool in use, peak")
        .trim_end_matches(" MiB")
        .parse()
        .unwrap();
    assert!(
        peak < 32.0,
        "{peak} MiB of the pool for a stream of 1 MB frames"
    );
}

#[test]
fn one_flipped_bit_is_noticed_and_its_copy_counted() {
    let file = Temp::with("corrupt", 100_000);
    let run = relay(&[file.path(), "--rounds=2", "--corrupt"]);
    run.failed(1, "1 of 2 streams did not arrive as sent");
    assert_eq!(run.row("digests"), "1/2 ok");
    assert_eq!(run.row("payload copied"), "1 B");
    assert_eq!(run.row("pool in use, end"), "0 B");
}

#[test]
fn a_port_in_use_is_said_to_be() {
    let file = Temp::with("port", 10);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let run = relay(&[file.path(), &format!("--port={port}")]);
    run.failed(2, &format!("cannot listen on 127.0.0.1:{port}: "));
    assert_eq!(run.stdout, "");
}

#[test]
fn a_file_that_cannot_be_streamed_is_named() {
    let missing = relay(&["no/such/file"]);
    missing.failed(2, "cannot read no/such/file: ");
    let directory = relay(&[env!("CARGO_MANIFEST_DIR")]);
    directory.failed(2, ": not a regular file");
    let empty = Temp::with("empty", 0);
    relay(&[empty.path()]).failed(2, "the file is empty");
}

#[test]
fn bad_arguments_are_refused() {
    for args in [
        ["--clients=0"],
        ["--clients=65"],
        ["--rounds=0"],
        ["--frame-size=0"],
        ["--frame-size=16777217"],
        ["--port=65536"],
        ["--no-such-option"],
    ] {
        let run = relay(&args);
        assert_eq!(run.status, Some(2), "{args:?}: {}", run.stderr);
        assert!(
            run.stderr.starts_with("error: "),
            "{args:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn no_progress_bar_is_drawn_into_a_pipe() {
    let file = Temp::with("pipe", 1_000_000);
    let run = relay(&[file.path(), "--rounds=3"]);
    assert_eq!(run.status, Some(0), "stderr: {}", run.stderr);
    assert!(!run.stderr.contains(['\r', '\x1b']), "{:?}", run.stderr);
    assert!(!run.stdout.contains(['\r', '\x1b']), "{:?}", run.stdout);
}
