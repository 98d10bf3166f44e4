//! The wire format, and the reader that turns received bytes into whole frames.
//!
//! ```text
//!  0            4                        12                      12 + length
//!  ├────────────┼────────────────────────┼───────────────────────┤
//!  │ length u32 │ sent u64               │ payload               │   big endian
//!  └────────────┴────────────────────────┴───────────────────────┘
//! ```
//! `sent` is nanoseconds since an instant that all threads of the process share.
//! The top bit of `length` marks the trailer, the last frame of a stream: its
//! payload is the digest of all payload bytes before it and how many there were.

use std::io;
use std::net::TcpStream;

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

use crate::net;

/// Bytes of a frame header.
pub(crate) const HEADER_LEN: usize = 12;

/// Most payload bytes of a frame. A longer length on the wire is an error, so a
/// broken peer cannot make a reader reserve memory without bound.
pub(crate) const MAX_PAYLOAD: u32 = 16 * 1024 * 1024;

/// Marks the trailer in the length field.
const TRAILER_BIT: u32 = 1 << 31;

/// Bytes of a trailer's payload: digest, frames, bytes.
const TRAILER_LEN: u32 = 32 + 8 + 8;

/// A reader asks for this much capacity when it runs low: four of the pool's
/// largest blocks, for one vectored read.
const READ_CAPACITY: usize = 256 * 1024;

/// Capacity below which a read is not worth its system call.
const READ_LEAST: usize = 64 * 1024;

/// What stands before each payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of payload that follow.
    pub(crate) payload: usize,
    /// Nanoseconds on the shared clock at which the sender built this header.
    pub(crate) sent_ns: u64,
    /// Whether this is the last frame.
    pub(crate) trailer: bool,
}

impl Header {
    /// Writes the header of a data frame into pooled memory and takes it off as a
    /// view. `payload` is at most [`MAX_PAYLOAD`].
    pub(crate) fn data(
        payload: u32,
        sent_ns: u64,
        room: &mut BytesBuf,
        pool: &GlobalPool,
    ) -> BytesView {
        debug_assert!(payload <= MAX_PAYLOAD);
        Self::put(payload, sent_ns, room, pool)
    }

    fn put(length: u32, sent_ns: u64, room: &mut BytesBuf, pool: &GlobalPool) -> BytesView {
        room.reserve(HEADER_LEN, pool);
        room.put_u32_be(length);
        room.put_u64_be(sent_ns);
        room.consume(HEADER_LEN)
    }

    /// Decodes and consumes a header, which may straddle blocks. The caller has
    /// made sure that `bytes` holds [`HEADER_LEN`] of them.
    pub(crate) fn take(bytes: &mut BytesView) -> io::Result<Self> {
        let length = bytes.get_u32_be();
        let sent_ns = bytes.get_u64_be();
        let trailer = length & TRAILER_BIT != 0;
        let payload = length & !TRAILER_BIT;
        if payload > MAX_PAYLOAD {
            return Err(invalid(format!(
                "frame header announces {payload} bytes, more than the limit of {MAX_PAYLOAD}"
            )));
        }
        Ok(Self {
            payload: payload as usize,
            sent_ns,
            trailer,
        })
    }
}

/// What a client says about its stream when it is through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// BLAKE3 of all payload bytes, in order.
    pub(crate) digest: blake3::Hash,
    /// Data frames.
    pub(crate) frames: u64,
    /// Payload bytes.
    pub(crate) bytes: u64,
}

impl Trailer {
    /// The trailer as a frame of its own.
    pub(crate) fn to_frame(
        self,
        sent_ns: u64,
        room: &mut BytesBuf,
        pool: &GlobalPool,
    ) -> BytesView {
        let mut frame = Header::put(TRAILER_LEN | TRAILER_BIT, sent_ns, room, pool);
        room.reserve(TRAILER_LEN as usize, pool);
        room.put_slice(*self.digest.as_bytes());
        room.put_u64_be(self.frames);
        room.put_u64_be(self.bytes);
        frame.append(room.consume(TRAILER_LEN as usize));
        frame
    }

    /// Decodes the payload of a trailer and consumes it.
    pub(crate) fn take(header: Header, bytes: &mut BytesView) -> io::Result<Self> {
        if header.payload != TRAILER_LEN as usize || bytes.len() < header.payload {
            return Err(invalid(format!("trailer of {} bytes", header.payload)));
        }
        let mut digest = [0; 32];
        bytes.copy_to_slice(&mut digest);
        Ok(Self {
            digest: blake3::Hash::from_bytes(digest),
            frames: bytes.get_u64_be(),
            bytes: bytes.get_u64_be(),
        })
    }
}

/// Reads a socket into pooled memory and hands out whole frames.
///
/// The buffer always begins at the border of a frame (**R1**): bytes leave it only
/// as whole frames. So at most one frame is incomplete, the one at the end, and it
/// stays where it was received until the rest of it comes.
#[derive(Debug)]
pub(crate) struct FrameReader<'a> {
    socket: &'a TcpStream,
    pool: &'a GlobalPool,
    buf: BytesBuf,
    /// Length of the first frame in `buf`, header included, once that header is
    /// decoded; before that the length of a header.
    first: usize,
    headers_decoded: u64,
}

impl<'a> FrameReader<'a> {
    pub(crate) fn new(socket: &'a TcpStream, pool: &'a GlobalPool) -> Self {
        Self {
            socket,
            pool,
            buf: BytesBuf::new(),
            first: HEADER_LEN,
            headers_decoded: 0,
        }
    }

    /// Headers decoded so far, each of them once.
    pub(crate) fn headers_decoded(&self) -> u64 {
        self.headers_decoded
    }

    /// Waits for a whole frame and returns all whole frames received, as one view
    /// of the memory that they were received into. `None` at the end of the
    /// stream; an error if that comes inside a frame.
    pub(crate) fn next_batch(&mut self) -> io::Result<Option<BytesView>> {
        loop {
            let whole = self.scan()?;
            if whole > 0 {
                return Ok(Some(self.buf.consume(whole)));
            }
            if self.receive()? == 0 {
                if self.buf.is_empty() {
                    return Ok(None);
                }
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("stream ends {} bytes into a frame", self.buf.len()),
                ));
            }
        }
    }

    /// Length of the whole frames at the front of the buffer. Decodes the headers
    /// of those, and that of the incomplete frame behind them, in place: `peek`
    /// and `advance` move references, not bytes.
    fn scan(&mut self) -> io::Result<usize> {
        let mut whole = 0;
        if self.buf.len() < self.first {
            return Ok(whole);
        }
        let mut rest = self.buf.peek();
        if self.first > HEADER_LEN {
            // Its header was decoded when the rest of it was still missing.
            rest.advance(self.first);
            whole = self.first;
        }
        self.first = HEADER_LEN;
        while rest.len() >= HEADER_LEN {
            let header = Header::take(&mut rest)?;
            self.headers_decoded += 1;
            if rest.len() < header.payload {
                self.first = HEADER_LEN + header.payload;
                break;
            }
            rest.advance(header.payload);
            whole += HEADER_LEN + header.payload;
        }
        Ok(whole)
    }

    /// One vectored read into the pool's blocks. Zero bytes: the peer is through.
    fn receive(&mut self) -> io::Result<usize> {
        let missing = self.first.saturating_sub(self.buf.len());
        if self.buf.remaining_capacity() < missing.max(READ_LEAST) {
            self.buf.reserve(missing.max(READ_CAPACITY), self.pool);
        }
        net::receive(self.socket, &mut self.buf)
    }
}

/// An error about what a peer sent.
pub(crate) fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
