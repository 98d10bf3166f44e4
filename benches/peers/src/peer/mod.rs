//! Who is measured, and what is asked of each.
//!
//! A workload is written once, against the traits below, so that every peer does
//! the same work. A peer implements the traits that fit it:
//!
//! | trait | what | who |
//! |---|---|---|
//! | [`Reserve`] | capacity, from a pool or an allocator | all |
//! | [`Build`] | fill it, then freeze it | the three bytesbufs, bytes, ntex-bytes, both vectors |
//! | [`Share`] | split off, clone, cut views | the three bytesbufs, bytes, ntex-bytes |
//! | [`Gather`] | many spans as one sequence | the same |
//!
//! Everything here is `#[inline]` and forwards to one or two calls: what is timed is the
//! peer's. No function takes a builder by value that it could build in place: moving
//! 552 bytes would be charged to the peer.

mod bytes;
mod bytesbuf;
mod ntex;
mod vec;
mod zeropool;

pub use self::bytes::BytesCrate;
pub use self::bytesbuf::{Bb04, Bb12, Ours, OursContiguous};
pub use self::ntex::Ntex;
pub use self::vec::{Glibc, Mi, Mimalloc};
pub use self::zeropool::ZeroPool;

use serde::{Deserialize, Serialize};

/// One column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// The crate of this repository, with its pool.
    Ours,
    /// The published bytesbuf 0.4.2, with its pool.
    Bb04,
    /// The published bytesbuf 0.12, with its pool.
    Bb12,
    /// The bytes crate, on the system's allocator.
    Bytes,
    /// `Vec<u8>` on the system's allocator.
    Vec,
    /// A vector on mimalloc.
    Mimalloc,
    /// The pool of vectors of that name.
    ZeroPool,
    /// The fork of bytes with page caches.
    Ntex,
    /// A slice that is there already, with no type around it.
    Raw,
    /// Nobody: what the machine itself takes.
    Floor,
}

impl Peer {
    /// The columns of the table, in their order.
    pub const COLUMNS: [Self; 9] = [
        Self::Ours,
        Self::Bb04,
        Self::Bb12,
        Self::Bytes,
        Self::Vec,
        Self::Mimalloc,
        Self::ZeroPool,
        Self::Ntex,
        Self::Raw,
    ];

    /// As it stands in the table.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Bb04 => "bb 0.4.2",
            Self::Bb12 => "bb 0.12",
            Self::Bytes => "bytes",
            Self::Vec => "Vec",
            Self::Mimalloc => "mimalloc",
            Self::ZeroPool => "zeropool",
            Self::Ntex => "ntex",
            Self::Raw => "raw slice",
            Self::Floor => "machine",
        }
    }
}

/// Capacity from somewhere.
pub trait Reserve: 'static {
    /// Whose it is.
    const PEER: Peer;
    /// Where capacity comes from. Clones are the same pool.
    type Pool: Clone + Send + 'static;
    /// Capacity that nothing was written to.
    type Buf: Send + 'static;
    /// The same after writing.
    type Filled: Send + 'static;

    /// A pool of its own.
    fn pool() -> Self::Pool;
    /// Capacity for at least `min_bytes`.
    fn reserve(pool: &Self::Pool, min_bytes: usize) -> Self::Buf;
    /// Writes `bytes`.
    fn fill(buf: Self::Buf, bytes: &[u8]) -> Self::Filled;
    /// What was written.
    fn contents(filled: &mut Self::Filled) -> Vec<u8>;
    /// Asks the pool to give back what it does not use; `false` if it cannot.
    fn trim(_pool: &Self::Pool) -> bool {
        false
    }
}

/// A builder of bytes that are frozen in the end.
pub trait Build: Reserve {
    /// What it is frozen to.
    type View: Send + 'static;

    /// A new builder, what `fill` writes to it, frozen.
    fn build(pool: &Self::Pool, min_bytes: usize, fill: impl FnOnce(&mut Self::Buf)) -> Self::View;
    /// Appends a slice.
    fn put_slice(buf: &mut Self::Buf, bytes: &[u8]);
    /// Appends a byte.
    fn put_u8(buf: &mut Self::Buf, value: u8);
    /// Appends a number, most significant byte first.
    fn put_u16_be(buf: &mut Self::Buf, value: u16);
    /// Appends a number, most significant byte first.
    fn put_u32_be(buf: &mut Self::Buf, value: u32);
    /// Appends a number, most significant byte first.
    fn put_u64_be(buf: &mut Self::Buf, value: u64);
    /// Appends a number, least significant byte first.
    fn put_u64_le(buf: &mut Self::Buf, value: u64);
    /// The bytes of a frozen sequence.
    fn bytes_of(view: &Self::View) -> Vec<u8>;
}

/// Bytes that are shared without copying.
pub trait Share: Build {
    /// Makes room for at least `additional` bytes.
    fn refill(pool: &Self::Pool, buf: &mut Self::Buf, additional: usize);
    /// Bytes written and not taken yet.
    fn filled_len(buf: &Self::Buf) -> usize;
    /// Splits the first `len` bytes off the builder.
    fn take(buf: &mut Self::Buf, len: usize) -> Self::View;
    /// Splits everything written off the builder.
    fn take_all(buf: &mut Self::Buf) -> Self::View;
    /// Another handle of the same bytes.
    fn share(view: &Self::View) -> Self::View;
    /// A handle of the first `len` bytes.
    fn first(view: &Self::View, len: usize) -> Self::View;
    /// Splits the first `len` bytes off the view.
    fn split_to(view: &mut Self::View, len: usize) -> Self::View;
    /// One contiguous sequence, without a copy.
    fn contiguous(bytes: Vec<u8>) -> Self::View;
    /// Reads a number, least significant byte first.
    fn get_u64_le(view: &mut Self::View) -> u64;
}

/// Several sequences as one.
pub trait Gather: Share {
    /// What a user of the peer holds them in.
    type Many: Send + 'static;

    /// The views one behind the other.
    fn gather(views: Vec<Self::View>) -> Self::Many;
    /// Another handle of the same bytes.
    fn share_many(many: &Self::Many) -> Self::Many;
    /// Reads a number, least significant byte first; it may span views.
    fn get_u64_le_many(many: &mut Self::Many) -> u64;

    /// What `header` writes to a new builder, and `payload` behind it, not copied.
    type Framed;
    /// See [`Framed`](Self::Framed).
    fn frame(
        pool: &Self::Pool,
        header_len: usize,
        header: impl FnOnce(&mut Self::Buf),
        payload: &Self::View,
    ) -> Self::Framed;
    /// Calls `each` with every contiguous part.
    fn parts(framed: &Self::Framed, each: impl FnMut(&[u8]));
}
