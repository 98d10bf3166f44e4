//! Frames with a length in front, written for `bytesbuf` 0.4 and `bytesbuf_io` 0.4.
//!
//! Nothing in here knows which implementation of `bytesbuf` it gets.

use bytes::Bytes;
use bytesbuf::mem::{HasMemory, Memory, MemoryShared, OpaqueMemory};
use bytesbuf::{BytesBuf, BytesView};
use bytesbuf_io::{Read, ReadExt, Write, WriteExt};

/// Frames over anything that reads or writes.
#[derive(Debug)]
pub struct Frames<S> {
    stream: S,
    memory: OpaqueMemory,
}

impl<S: HasMemory> Frames<S> {
    /// Uses the memory of `stream`.
    pub fn new(stream: S) -> Self {
        let memory = OpaqueMemory::new(stream.memory());
        Self { stream, memory }
    }

    /// The stream, for whoever wants it back.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: HasMemory> HasMemory for Frames<S> {
    fn memory(&self) -> impl MemoryShared {
        self.memory.clone()
    }
}

impl<S: Write> Frames<S> {
    /// Writes `body` behind its length.
    pub async fn send(&mut self, body: BytesView) -> bytesbuf_io::Result<()> {
        let prepare = |mut buf: BytesBuf| {
            buf.put_num_be(body.len() as u32);
            buf.put_bytes(body);
            Ok::<_, std::convert::Infallible>(buf.consume_all())
        };
        self.stream.prepare_and_write(4, prepare).await
    }
}

impl<S: Read> Frames<S> {
    /// Reads one frame.
    pub async fn receive(&mut self) -> bytesbuf_io::Result<BytesView> {
        let len: u32 = self.stream.read_exactly(4).await?.get_num_be();
        self.stream.read_exactly(len as usize).await
    }
}

/// One frame in memory, through `bytes`.
pub fn encode(body: &Bytes, memory: &impl Memory) -> Bytes {
    let mut buf = memory.reserve(4);
    buf.put_num_be(body.len() as u32);
    let mut frame = buf.consume_all();
    frame.append(body.clone().into());
    frame.into()
}
