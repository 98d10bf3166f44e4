//! Inputs that the benchmarks share, so that every contender is given the same
//! work.
//!
//! One file a family of workloads in `benches/`. The functions here build the
//! inputs and check, outside the timed part, that the contenders produce the same
//! bytes.

use bytes::{BufMut, Bytes, BytesMut};
use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

/// Sizes of a reservation in bytes: below, at and above the small size classes.
pub const SIZES: [usize; 4] = [64, 1024, 4 * 1024, 64 * 1024];

/// Numbers of spans of a view that is cloned.
pub const SPANS: [usize; 2] = [1, 16];

/// Bytes of payload in the small message.
pub const PAYLOAD_LEN: usize = 112;

/// Total length of the small message in bytes: 16 of header, then the payload.
pub const MESSAGE_LEN: usize = 16 + PAYLOAD_LEN;

/// Payload of the small message: no two neighbouring bytes alike.
#[must_use]
pub fn payload() -> [u8; PAYLOAD_LEN] {
    let mut payload = [0; PAYLOAD_LEN];
    let mut next = 0x11_u8;
    for byte in &mut payload {
        *byte = next;
        next = next.wrapping_mul(5).wrapping_add(3);
    }
    payload
}

/// A view of `spans` spans of 64 bytes, each in a block of its own, so that no
/// two of them can merge.
#[must_use]
pub fn view_of(spans: usize, pool: &GlobalPool) -> BytesView {
    let chunk = [0xA5; 64];
    BytesView::from_views(
        (0..spans)
            .map(|_| BytesView::copied_from_slice(&chunk, pool))
            .collect::<Vec<_>>(),
    )
}

/// What one has without a rope: one handle of `bytes` for each span.
#[must_use]
pub fn bytes_of(spans: usize) -> Vec<Bytes> {
    (0..spans)
        .map(|_| Bytes::from(vec![0xA5; 64].into_boxed_slice()))
        .map(promote)
        .collect()
}

/// A fresh `Bytes` turns into its shared form at the first clone; do that before
/// the measurement.
fn promote(bytes: Bytes) -> Bytes {
    let shared = bytes.clone();
    drop(bytes);
    shared
}

/// Writes the small message: a header of four numbers, then the payload.
pub fn fill_ours(buf: &mut BytesBuf, payload: &[u8; PAYLOAD_LEN]) {
    buf.put_num_be(0x1234_u16);
    buf.put_num_be(0x0102_u16);
    buf.put_num_be(PAYLOAD_LEN as u32);
    buf.put_num_be(0x0123_4567_89AB_CDEF_u64);
    buf.put_slice(payload.as_slice());
}

/// The same message in `BytesMut`.
pub fn fill_bytes(buf: &mut BytesMut, payload: &[u8; PAYLOAD_LEN]) {
    buf.put_u16(0x1234);
    buf.put_u16(0x0102);
    buf.put_u32(PAYLOAD_LEN as u32);
    buf.put_u64(0x0123_4567_89AB_CDEF);
    buf.put_slice(payload);
}

/// The same message in a `Vec`.
pub fn fill_vec(buf: &mut Vec<u8>, payload: &[u8; PAYLOAD_LEN]) {
    buf.extend_from_slice(&0x1234_u16.to_be_bytes());
    buf.extend_from_slice(&0x0102_u16.to_be_bytes());
    buf.extend_from_slice(&(PAYLOAD_LEN as u32).to_be_bytes());
    buf.extend_from_slice(&0x0123_4567_89AB_CDEF_u64.to_be_bytes());
    buf.extend_from_slice(payload);
}

/// Checks that the three builders above produce the same bytes.
///
/// # Panics
/// If they do not: then the figures would compare different work.
pub fn assert_same_message(pool: &GlobalPool) {
    let payload = payload();
    let mut ours = pool.reserve(MESSAGE_LEN);
    fill_ours(&mut ours, &payload);
    let mut theirs = BytesMut::with_capacity(MESSAGE_LEN);
    fill_bytes(&mut theirs, &payload);
    let mut vec = Vec::with_capacity(MESSAGE_LEN);
    fill_vec(&mut vec, &payload);

    let mut copy = vec![0; MESSAGE_LEN];
    ours.consume_all().copy_to_slice(&mut copy);
    assert_eq!(copy, vec, "ours differs from Vec");
    assert_eq!(&theirs[..], &vec[..], "bytes differs from Vec");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_contenders_build_the_same_message() {
        assert_same_message(&GlobalPool::new());
    }

    #[test]
    fn spans_do_not_merge() {
        let pool = GlobalPool::new();
        for spans in SPANS {
            assert_eq!(view_of(spans, &pool).slices().count(), spans);
            assert_eq!(bytes_of(spans).len(), spans);
        }
    }
}
