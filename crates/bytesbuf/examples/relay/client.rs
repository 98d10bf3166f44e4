//! A client: frames the file, signs it with a digest, sends it.

use std::net::{Shutdown, TcpStream};

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

use crate::Clock;
use crate::failure::{During, Failure};
use crate::frames::{Header, Trailer};
use crate::net;
use crate::source::Source;

/// A batch is sent when it has this many bytes ...
const BATCH_BYTES: usize = 128 * 1024;
/// ... or this many frames: two slices each, and half of what a call takes.
const BATCH_FRAMES: u64 = 64;

/// What a client needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) socket: &'a TcpStream,
    pub(crate) source: &'a Source,
    pub(crate) pool: &'a GlobalPool,
    pub(crate) clock: Clock,
    pub(crate) frame_size: u32,
    pub(crate) rounds: u32,
}

impl Client<'_> {
    /// Streams the file `rounds` times, then the trailer.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut outbox = Outbox::new(self);
        for _ in 0..self.rounds {
            let mut round = self.source.round(self.frame_size as usize, self.pool)?;
            while let Some(mut piece) = round.next_piece()? {
                while !piece.is_empty() {
                    let payload = piece.range(..piece.len().min(self.frame_size as usize));
                    piece.advance(payload.len());
                    outbox.push(payload)?;
                }
            }
        }
        outbox.finish()
    }
}

/// Frames that wait to be sent together.
struct Outbox<'a> {
    client: Client<'a>,
    /// Capacity for headers.
    room: BytesBuf,
    batch: BytesView,
    batch_frames: u64,
    hasher: blake3::Hasher,
    frames: u64,
    bytes: u64,
}

impl<'a> Outbox<'a> {
    fn new(client: Client<'a>) -> Self {
        Self {
            client,
            room: BytesBuf::new(),
            batch: BytesView::new(),
            batch_frames: 0,
            hasher: blake3::Hasher::new(),
            frames: 0,
            bytes: 0,
        }
    }

    /// Puts a header before `payload`, which is at most `frame_size` long. Nothing
    /// of the payload moves: the frame is two views, one behind the other.
    fn push(&mut self, payload: BytesView) -> Result<(), Failure> {
        for (slice, _meta) in payload.slices() {
            self.hasher.update(slice);
        }
        self.frames += 1;
        self.bytes += payload.len() as u64;
        self.batch.append(Header::data(
            payload.len() as u32,
            self.client.clock.now_ns(),
            &mut self.room,
            self.client.pool,
        ));
        self.batch.append(payload);
        self.batch_frames += 1;
        if self.batch.len() >= BATCH_BYTES || self.batch_frames >= BATCH_FRAMES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.batch_frames = 0;
        net::send_all(self.client.socket, std::mem::take(&mut self.batch)).during("sending")
    }

    /// Sends what is left, the trailer, and the end of the stream.
    fn finish(mut self) -> Result<(), Failure> {
        let trailer = Trailer {
            digest: self.hasher.finalize(),
            frames: self.frames,
            bytes: self.bytes,
        };
        self.batch.append(trailer.to_frame(
            self.client.clock.now_ns(),
            &mut self.room,
            self.client.pool,
        ));
        self.flush()?;
        self.client
            .socket
            .shutdown(Shutdown::Write)
            .during("ending the stream")
    }
}
