//! What the command line can say.

use std::path::PathBuf;

use clap::Parser;

use crate::frames::MAX_PAYLOAD;

/// Streams a file over loopback TCP: clients -> one relay -> sinks that check it.
///
/// Each client sends the file as length-prefixed frames to the relay, which
/// forwards them to a sink of its own without copying a payload byte. The sinks
/// compare a digest of the whole stream with the one that the client computed.
/// All buffers come from one shared memory pool. A table of what happened goes to
/// standard output, progress to standard error if that is a terminal.
#[derive(Debug, Parser)]
#[command(
    name = "relay",
    after_help = "Exit status: 0 if every digest matches; 1 if one differs or a transfer broke; \
                  2 for bad arguments, an unreadable or empty file, or a port in use."
)]
pub(crate) struct Args {
    /// File to stream [default: the running executable]
    pub(crate) file: Option<PathBuf>,

    /// Number of clients, each with a connection and a sink of its own
    #[arg(long, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) clients: u32,

    /// How often each client streams the file
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Payload bytes of a frame (up to 16 MiB)
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024,
          value_parser = clap::value_parser!(u32).range(1..=MAX_PAYLOAD as i64))]
    pub(crate) frame_size: u32,

    /// Port on 127.0.0.1 where the relay listens (0: any free one)
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,

    /// Let the relay flip one bit of one payload, to see that the sinks notice
    #[arg(long)]
    pub(crate) corrupt: bool,
}
