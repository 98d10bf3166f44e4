//! A view and the digest of what it has to contain.

use blake3::Hash;
use bytesbuf::mem::Memory;
use bytesbuf::{BytesBuf, BytesView};

use crate::random::Random;

/// Largest message that is made of others, in bytes.
const MAX: usize = 400 << 10;

#[derive(Debug)]
pub(crate) struct Message {
    view: BytesView,
    /// Of a copy of the bytes: not of what the view shows.
    digest: Hash,
}

impl Message {
    /// A view that has to show these bytes.
    pub(crate) fn new(view: BytesView, content: &[u8]) -> Self {
        let digest = blake3::hash(content);
        Self { view, digest }
    }

    /// Writes `content` into a buffer that has room for it, in one of several ways.
    /// `corrupt` flips a bit of it.
    pub(crate) fn write(
        mut buf: BytesBuf,
        content: &mut [u8],
        random: &mut Random,
        corrupt: bool,
    ) -> Self {
        let digest = blake3::hash(content);
        if corrupt {
            content[random.below(content.len())] ^= 1;
        }
        let view = match random.below(4) {
            0 => {
                let (first, rest) = content.split_at(random.below(content.len()));
                buf.put_slice(first);
                let mut view = buf.consume_all();
                buf.put_slice(rest);
                view.append(buf.consume_all());
                view
            }
            1 if content.len() >= 4 => {
                let (number, rest) = content.split_at(4);
                buf.put_u32_be(u32::from_be_bytes([
                    number[0], number[1], number[2], number[3],
                ]));
                buf.put_slice(rest);
                buf.consume_all()
            }
            2 => {
                let rest = buf.split_off_remaining(random.below(buf.remaining_capacity()));
                let here = buf.remaining_capacity().min(content.len());
                let (first, second) = content.split_at(here);
                let mut rest = rest;
                buf.put_slice(first);
                if second.len() <= rest.remaining_capacity() {
                    rest.put_slice(second);
                }
                BytesView::from_views([buf.consume_all(), rest.consume_all()])
            }
            _ => {
                buf.put_slice(&*content);
                buf.consume_all()
            }
        };
        Self { view, digest }
    }

    pub(crate) fn len(&self) -> usize {
        self.view.len()
    }

    /// Whether the view shows what it has to.
    pub(crate) fn is_intact(&self) -> bool {
        let mut hasher = blake3::Hasher::new();
        for (slice, _) in self.view.slices() {
            hasher.update(slice);
        }
        hasher.finalize() == self.digest
    }

    /// The same bytes, taken out of a frame that is made for them and dropped.
    pub(crate) fn framed(self, memory: &impl Memory) -> Self {
        let Self { view, digest } = self;
        let bytes = view.len();
        let mut frame = memory.reserve(16);
        frame.put_u64_be(bytes as u64);
        frame.put_bytes(view);
        frame.put_u64_be(!(bytes as u64));
        let mut frame = frame.consume_all();
        assert_eq!(frame.get_u64_be(), bytes as u64, "the header");
        let view = frame.split_to(bytes);
        assert_eq!(frame.get_u64_be(), !(bytes as u64), "the trailer");
        Self { view, digest }
    }

    /// The view alone.
    pub(crate) fn into_view(self) -> BytesView {
        self.view
    }

    /// One or two messages that share the bytes of this one, which is intact.
    pub(crate) fn derive(self, random: &mut Random) -> (Self, Option<Self>) {
        let bytes = self.view.to_vec();
        let Self { mut view, digest } = self;
        let of = |view: BytesView, bytes: &[u8]| Self {
            view,
            digest: blake3::hash(bytes),
        };
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 => {
                let twin = Self {
                    view: view.clone(),
                    digest,
                };
                (Self { view, digest }, Some(twin))
            }
            1 => {
                let end = at + random.below(bytes.len() - at + 1);
                let part = of(view.range(at..end), &bytes[at..end]);
                (Self { view, digest }, Some(part))
            }
            2 => {
                let first = of(view.split_to(at), &bytes[..at]);
                (of(view, &bytes[at..]), Some(first))
            }
            3 => {
                let second = of(view.split_off(at), &bytes[at..]);
                (of(view, &bytes[..at]), Some(second))
            }
            4 => {
                view.advance(at);
                (of(view, &bytes[at..]), None)
            }
            _ => {
                view.truncate(at);
                (of(view, &bytes[..at]), None)
            }
        }
    }

    /// Both, one behind the other; as two, if that is too much for one.
    pub(crate) fn join(self, other: Self) -> (Self, Option<Self>) {
        if self.len() + other.len() > MAX {
            return (self, Some(other));
        }
        let mut bytes = self.view.to_vec();
        bytes.extend_from_slice(&other.view.to_vec());
        let mut view = self.view;
        view.append(other.view);
        let digest = blake3::hash(&bytes);
        (Self { view, digest }, None)
    }

    /// The message with a few bytes in front, which take memory of their own. As it
    /// is, if there is none to be had.
    pub(crate) fn with_header(self, memory: &impl Memory, header: [u8; 12]) -> Self {
        let Ok(mut buf) = memory.try_reserve(header.len()) else {
            return self;
        };
        let mut bytes = header.to_vec();
        bytes.extend_from_slice(&self.view.to_vec());
        buf.put_slice(header);
        buf.put_bytes(self.view);
        Self {
            view: buf.consume_all(),
            digest: blake3::hash(&bytes),
        }
    }
}
