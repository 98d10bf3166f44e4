//! The relay: one lane per client, from its socket to its sink's.
//!
//! A lane never touches a payload. It receives into the pool's blocks, looks at
//! headers, takes whole frames off as one view, and writes the slices of that view.
//! When the view is dropped its blocks go back to the pool. A slow sink blocks the
//! lane's write; the lane then reads no more, its receive window fills, and TCP
//! stops the client. No queue grows.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use bytesbuf::BytesView;
use bytesbuf::mem::GlobalPool;

use crate::failure::{During, Failure};
use crate::frames::{FrameReader, HEADER_LEN};
use crate::net;

/// What a lane needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane<'a> {
    pub(crate) from: &'a TcpStream,
    pub(crate) to: &'a TcpStream,
    pub(crate) pool: &'a GlobalPool,
    /// Set while a byte is still to be corrupted, by whichever lane comes first.
    pub(crate) corrupt: &'a AtomicBool,
}

/// What a lane did. It counts where it calls something that copies.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Forwarded {
    /// Payload bytes that the lane copied in user space.
    pub(crate) payload_copied: u64,
    /// Header bytes that it decoded, which copies them into registers.
    pub(crate) header_decoded: u64,
}

impl Lane<'_> {
    /// Forwards until the client ends its stream, then ends the sink's.
    pub(crate) fn run(self) -> Result<Forwarded, Failure> {
        let mut forwarded = Forwarded::default();
        let mut frames = FrameReader::new(self.from, self.pool);
        while let Some(mut batch) = frames.next_batch().during("receiving from the client")? {
            // Relaxed: partner of nothing; the swap alone decides which lane it is, and no
            // other memory is handed over. The load keeps the flag's cache line
            // shared in all runs that corrupt nothing.
            if self.corrupt.load(Ordering::Relaxed) && self.corrupt.swap(false, Ordering::Relaxed) {
                batch = flip_bit(&batch, HEADER_LEN, self.pool);
                forwarded.payload_copied += 1;
            }
            net::send_all(self.to, batch).during("sending to the sink")?;
        }
        forwarded.header_decoded = frames.headers_decoded() * HEADER_LEN as u64;
        self.to
            .shutdown(Shutdown::Write)
            .during("ending the sink's stream")?;
        Ok(forwarded)
    }
}

/// The same bytes with one bit of the byte at `index` changed. Views are immutable,
/// so this is a new byte between two ranges of the old view: one byte is copied.
fn flip_bit(view: &BytesView, index: usize, pool: &GlobalPool) -> BytesView {
    let old = view.range(index..).get_byte();
    BytesView::from_views([
        view.range(..index),
        BytesView::copied_from_slice(&[old ^ 1], pool),
        view.range(index + 1..),
    ])
}
