//! A TCP relay that copies no payload: real sockets, plain threads, one memory pool.
//!
//! ```text
//! cargo run --release --example relay              # streams its own executable
//! cargo run --release --example relay -- --help
//! ```
//!
//! # The data path
//! ```text
//!            client i                      lane i of the relay                sink i
//!  file ─► pool blocks ─┐              ┌─► pool blocks ─┐                ┌─► pool blocks
//!                       │ writev       │ recvmsg        │ writev         │ recvmsg  │
//!  digest ◄─────────────┤              │                │                │          ▼
//!                       └── loopback ──┘                └── loopback ────┘   digest, compare
//! ```
//! **Client.** The file is read into blocks of the pool once, and all clients send
//! those same blocks: `range` makes the payload of a frame, a header is written
//! into a block of its own and put before it with `append`. A frame is two views
//! one behind the other; the bytes of the file stay where they are. Frames leave in
//! batches, by vectored writes.
//!
//! **Relay.** A lane reserves capacity in the pool and hands its blocks, which are
//! not initialised, to one vectored receive: `begin_vectored_write`, `slices_mut`,
//! `commit`. The kernel writes the bytes where they will stay until they are sent.
//! To find the frames, the lane looks at the headers in place: `peek` gives a view
//! of what has been received, `get_u32_be` reads from it, also where a header lies
//! across two blocks, and `advance` steps over payloads unseen. Then `consume` takes
//! all whole frames off as one view, and `io_slices` offers that view's blocks to
//! one vectored write; `advance` drops what the socket took. An incomplete frame
//! stays in the buffer, where it is, and the next receive goes on behind it. When a
//! view is dropped, its blocks go back to the pool, to be lent again by any thread.
//!
//! **Sink.** It receives like the relay, and feeds the payload to a digest straight
//! from the blocks. The client's own digest comes in a trailer, the last frame.
//!
//! # What is copied
//! By the relay, in user space: the twelve bytes of each header, when they are
//! decoded, and of the payload nothing. The relay counts at the places where it
//! calls something that copies; `--corrupt` makes it call one (see `relay.rs`) and
//! the counter and the digest both show it. The kernel copies each byte into and
//! out of each socket, as it does for every program that uses sockets.
//!
//! # What bounds memory
//! Each lane holds what it has received and not yet sent: a read of 256 KiB, or one
//! frame if that is larger. It does not read while it writes, so a slow sink fills
//! the lane's send buffer, then its receive buffer, then the client's send buffer,
//! and the client waits. No queue is in user space, so none can grow.
//!
//! # What happens when something breaks
//! Every socket has a timeout. The first thread that fails notes why and shuts all
//! sockets down; everybody else comes back from whatever they waited for, and the
//! note becomes the message. Exit status: 0, 1 (digest differs, transfer broken) or
//! 2 (arguments, file, port).
//!
//! # Contents
//! | file | what |
//! |---|---|
//! | `args` | the command line |
//! | `frames` | wire format; whole frames from received bytes |
//! | `net` | vectored receive and send (the only `unsafe`), connecting |
//! | `source`, `client` | the file in pooled memory; framing and sending it |
//! | `relay` | a lane |
//! | `sink` | the checks |
//! | `run` | threads, sampling, stopping |
//! | `report`, `failure` | the table; the message and exit status |
//!
//! `docs/design/relay.md` says why it is built this way, and how to read the table.

mod args;
mod client;
mod failure;
mod frames;
mod net;
mod relay;
mod report;
mod run;
mod sink;
mod source;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::args::Args;
use crate::failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    match run_and_report(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("relay: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

/// Runs, prints the table, and judges what is in it.
fn run_and_report(args: &Args) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        eprintln!("relay: this is a debug build; add --release for numbers that mean something");
    }
    let report = run::run(args)?;
    match io::stdout().write_all(report.to_string().as_bytes()) {
        // Whoever reads the table has seen enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => return Err(Failure::broken(format!("cannot print the table: {error}"))),
        Ok(()) => {}
    }
    match report.totals.differing() {
        [] => Ok(()),
        differing => Err(Failure::broken(format!(
            "{} of {} streams did not arrive as sent; {}",
            differing.len(),
            args.clients,
            differing.join("; "),
        ))),
    }
}

/// The clock that all threads share: nanoseconds since the run began.
#[derive(Debug, Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn now_ns(self) -> u64 {
        // 584 years fit.
        self.0.elapsed().as_nanos() as u64
    }
}
