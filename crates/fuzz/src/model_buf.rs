//! What a buffer should be.

use std::collections::VecDeque;

use bytesbuf::{BytesBuf, BytesView};

use crate::lender::Size;
use crate::memory::Room;

/// Data, and the unfilled part of each block, the one that is filled next first.
#[derive(Debug, Default)]
pub(crate) struct ModelBuf {
    pub(crate) data: Vec<u8>,
    pub(crate) rooms: VecDeque<Room>,
}

impl ModelBuf {
    pub(crate) fn remaining(&self) -> usize {
        self.rooms.iter().map(|room| room.len).sum()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.data.len() + self.remaining()
    }

    /// Unfilled bytes of the block that is filled next.
    pub(crate) fn first(&self) -> usize {
        self.rooms.front().map_or(0, |room| room.len)
    }

    /// Writes bytes for which there is room.
    pub(crate) fn fill(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        let mut left = bytes.len();
        while left > 0 {
            let room = self.rooms.front_mut().expect("there is room");
            let now = left.min(room.len);
            room.len -= now;
            left -= now;
            if room.len == 0 {
                self.rooms.pop_front();
            }
        }
    }

    pub(crate) fn consume(&mut self, len: usize) -> Vec<u8> {
        self.data.drain(..len).collect()
    }

    /// Moves `count` bytes of room from the end to a buffer of their own.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let mut split = Self::default();
        let mut missing = count;
        while missing > 0 {
            let mut room = self.rooms.pop_back().expect("there is room");
            let now = missing.min(room.len);
            if now < room.len {
                self.rooms.push_back(Room {
                    len: room.len - now,
                    ..room
                });
            }
            room.len = now;
            missing -= now;
            split.rooms.push_front(room);
        }
        split
    }

    /// What panics if `len` bytes are written.
    pub(crate) fn no_room(&self, len: usize) -> Option<&'static str> {
        (len > self.remaining()).then_some("bytes of remaining capacity")
    }

    /// Everything that a buffer shows of itself.
    #[track_caller]
    pub(crate) fn check(&self, buf: &mut BytesBuf) {
        assert_eq!(buf.len(), self.data.len(), "len");
        assert_eq!(buf.is_empty(), self.data.is_empty(), "is_empty");
        assert_eq!(
            buf.remaining_capacity(),
            self.remaining(),
            "remaining_capacity"
        );
        assert_eq!(buf.capacity(), self.capacity(), "capacity");
        assert_eq!(
            buf.first_unfilled_slice().len(),
            self.first(),
            "first_unfilled_slice"
        );
        let meta = buf
            .first_unfilled_slice_meta()
            .and_then(|meta| meta.downcast_ref::<Size>());
        let expected = self.rooms.front().and_then(|room| room.meta);
        assert_eq!(
            meta.map(|size| size.0),
            expected,
            "first_unfilled_slice_meta"
        );
        check_content(&buf.peek(), &self.data);
    }
}

/// Everything that a view shows of its content.
#[track_caller]
pub(crate) fn check_content(view: &BytesView, expected: &[u8]) {
    assert_eq!(view.len(), expected.len(), "len");
    assert_eq!(view.is_empty(), expected.is_empty(), "is_empty");
    let mut rest = expected;
    for (slice, _) in view.slices() {
        assert!(!slice.is_empty(), "an empty slice");
        assert!(rest.starts_with(slice), "content");
        rest = &rest[slice.len()..];
    }
    assert_eq!(rest, b"", "content is missing");
    let first = view.slices().next().map_or(&[][..], |(slice, _)| slice);
    assert_eq!(view.first_slice(), first, "first_slice");
}
