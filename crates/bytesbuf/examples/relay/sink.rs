//! A sink: the far end of one stream, which checks everything that arrives.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use bytesbuf::BytesView;
use bytesbuf::mem::GlobalPool;
use hdrhistogram::Histogram;

use crate::Clock;
use crate::failure::{During, Failure};
use crate::frames::{FrameReader, Header, Trailer, invalid};

/// What a sink needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sink<'a> {
    pub(crate) socket: &'a TcpStream,
    pub(crate) pool: &'a GlobalPool,
    pub(crate) clock: Clock,
    pub(crate) frame_size: u32,
    /// Payload bytes that all sinks have received, for the progress bar.
    pub(crate) progress: &'a AtomicU64,
}

/// What a sink received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    /// Nanoseconds from the header's timestamp until the frame was checked.
    pub(crate) latency: Histogram<u64>,
    /// In what the stream differs from the one that the client sent, if it does.
    pub(crate) differs: Option<String>,
}

/// A histogram of nanoseconds, exact to three digits: constant memory, however many
/// frames there are.
pub(crate) fn latencies() -> Histogram<u64> {
    // One microsecond to one minute; what lies outside counts as the nearest.
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("bounds are valid")
}

impl Sink<'_> {
    /// Receives until the end of the stream, which must be right behind a trailer.
    pub(crate) fn run(self) -> Result<Received, Failure> {
        let mut stream = Stream::new(self);
        let mut frames = FrameReader::new(self.socket, self.pool);
        while let Some(batch) = frames.next_batch().during("receiving")? {
            stream.check(batch).during("checking")?;
        }
        stream.finish()
    }
}

/// What is known of the stream so far.
struct Stream<'a> {
    sink: Sink<'a>,
    hasher: blake3::Hasher,
    received: Received,
    last_sent_ns: u64,
    trailer: Option<Trailer>,
}

impl<'a> Stream<'a> {
    fn new(sink: Sink<'a>) -> Self {
        Self {
            sink,
            hasher: blake3::Hasher::new(),
            received: Received {
                frames: 0,
                bytes: 0,
                latency: latencies(),
                differs: None,
            },
            last_sent_ns: 0,
            trailer: None,
        }
    }

    /// Checks the whole frames of `batch`: order, length, and on to the digest.
    fn check(&mut self, mut batch: BytesView) -> std::io::Result<()> {
        let before = self.received.bytes;
        while !batch.is_empty() {
            let header = Header::take(&mut batch)?;
            if self.trailer.is_some() {
                return Err(invalid("a frame behind the trailer".to_owned()));
            }
            if header.sent_ns < self.last_sent_ns {
                return Err(invalid(format!(
                    "frame {} is out of order",
                    self.received.frames
                )));
            }
            self.last_sent_ns = header.sent_ns;
            if header.trailer {
                self.trailer = Some(Trailer::take(header, &mut batch)?);
                continue;
            }
            if header.payload == 0 || header.payload > self.sink.frame_size as usize {
                return Err(invalid(format!(
                    "frame {} has {} bytes of payload, not 1 to {}",
                    self.received.frames, header.payload, self.sink.frame_size
                )));
            }
            self.digest(&mut batch, header.payload);
            self.received.frames += 1;
            self.received.bytes += header.payload as u64;
            let latency = self.sink.clock.now_ns().saturating_sub(header.sent_ns);
            self.received.latency.saturating_record(latency);
        }
        // Relaxed: partner of the load in `run`; a counter to look at, which the report does
        // not use.
        self.sink
            .progress
            .fetch_add(self.received.bytes - before, Ordering::Relaxed);
        Ok(())
    }

    /// Feeds the next `count` bytes of `batch` to the digest, where they lie, and
    /// consumes them.
    fn digest(&mut self, batch: &mut BytesView, mut count: usize) {
        while count > 0 {
            let slice = batch.first_slice();
            let part = &slice[..slice.len().min(count)];
            let done = part.len();
            self.hasher.update(part);
            batch.advance(done);
            count -= done;
        }
    }

    fn finish(mut self) -> Result<Received, Failure> {
        let Some(sent) = self.trailer else {
            return Err(Failure::broken("the stream ended before its trailer"));
        };
        let got = Trailer {
            digest: self.hasher.finalize(),
            frames: self.received.frames,
            bytes: self.received.bytes,
        };
        if got != sent {
            self.received.differs = Some(format!(
                "the client sent {} bytes in {} frames with digest {}.., \
                 {} bytes in {} frames with digest {}.. arrived",
                sent.bytes,
                sent.frames,
                &sent.digest.to_hex()[..16],
                got.bytes,
                got.frames,
                &got.digest.to_hex()[..16],
            ));
        }
        Ok(self.received)
    }
}
