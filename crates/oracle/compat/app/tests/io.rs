//! `bytesbuf_io` 0.4.0 as published, over ours.

use std::num::NonZero;

use bytes::Bytes;
use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{GlobalPool, Memory, OpaqueMemory};
use bytesbuf::{BytesBuf, BytesView};
use bytesbuf_io::testing::{FakeRead, FakeWrite, Null};
use bytesbuf_io::{ReadExt, ReadInspectDecision, WriteExt};
use compat_client::{Frames, encode};
use futures::StreamExt;
use futures::executor::block_on;

fn pieces(content: &[u8]) -> BytesView {
    BytesView::copied_from_slice(content, &FixedBlockMemory::new(NonZero::new(3).unwrap()))
}

/// A source of `content` in reads of at most `max` bytes.
fn source(content: &[u8], max: usize) -> FakeRead {
    FakeRead::builder()
        .contents(pieces(content))
        .max_read_size(NonZero::new(max).unwrap())
        .build()
}

#[test]
fn frames_arrive_whatever_the_size_of_the_reads() {
    let mut sink = Frames::new(FakeWrite::new());
    let bodies = [&b"hello"[..], b"", b"a longer one, of several slices"];
    for body in bodies {
        block_on(sink.send(pieces(body))).unwrap();
    }
    let written = sink.into_inner().into_contents();
    assert_eq!(written.len(), 3 * 4 + 5 + 31);

    for max in [1, 2, 7, 100] {
        let stream = FakeRead::builder()
            .contents(written.clone())
            .max_read_size(NonZero::new(max).unwrap())
            .build();
        let mut frames = Frames::new(stream);
        for body in bodies {
            let received = block_on(frames.receive()).unwrap();
            assert_eq!(received, body, "in reads of {max}");
        }
        block_on(frames.receive()).expect_err("there is no fourth frame");
    }
}

#[test]
fn frames_in_memory_agree_with_frames_on_a_stream() {
    let mut sink = Frames::new(FakeWrite::new());
    block_on(sink.send(pieces(b"the same"))).unwrap();
    let frame = encode(&Bytes::from_static(b"the same"), &GlobalPool::new());
    assert_eq!(Bytes::from(sink.into_inner().into_contents()), frame);
}

#[test]
fn reads_append_to_what_is_there() {
    let mut stream = source(b"abcdefgh", 5);
    let mut buf = TransparentMemory::new().reserve(4);
    buf.put_slice(*b"__");
    let (count, buf) = block_on(stream.read_at_most_into(3, buf)).unwrap();
    assert_eq!((count, buf.len()), (3, 5));
    let (count, mut buf) = block_on(stream.read_more_into(buf)).unwrap();
    assert_eq!(count, 5);
    assert_eq!(buf.consume_all(), b"__abcdefgh");
    assert!(block_on(stream.read_any()).unwrap().is_empty());
}

#[test]
fn a_line_is_read_by_inspection() {
    let mut stream = source(b"first line\nrest", 4);
    let inspect = |mut so_far: BytesView| {
        let mut at = 0;
        while !so_far.is_empty() {
            at += 1;
            if so_far.get_byte() == b'\n' {
                return ReadInspectDecision::Complete(at);
            }
        }
        ReadInspectDecision::ContinueRead
    };
    let (line, mut rest) = block_on(stream.read_at_most_while(100, inspect)).unwrap();
    assert_eq!(line, b"first line\n");
    assert_eq!(rest.consume_all(), b"r");
    assert_eq!(block_on(stream.read_exactly(3)).unwrap(), b"est");
}

#[test]
fn a_stream_of_views_ends_with_the_content() {
    let stream = source(b"abcdefgh", 3).into_futures_stream();
    let views: Vec<_> = block_on(stream.map(Result::unwrap).collect());
    assert_eq!(BytesView::from_views(views), b"abcdefgh");
}

#[test]
fn a_stream_lends_its_memory() {
    let pool = GlobalPool::new();
    let sink = FakeWrite::builder().memory(OpaqueMemory::new(pool)).build();
    assert_eq!(sink.memory().reserve(10).capacity(), 1024);
    assert_eq!(Null::new().memory().reserve(10).len(), 0);
}

#[test]
fn what_the_closure_refuses_is_not_written() {
    let mut sink = FakeWrite::new();
    let refuse = |_: BytesBuf| Err(std::io::Error::other("changed my mind"));
    block_on(sink.prepare_and_write(100, refuse)).unwrap_err();
    assert!(sink.contents().is_empty());
}
