//! [`BytesBuf`]: builds byte sequences, append-only, in lent memory.

mod consume;
mod fmt;
mod put;
mod put_num;
mod repr;
mod reserve;
mod split;
mod vectored;

pub use repr::BytesBuf;
#[cfg(feature = "std")]
pub(crate) use repr::Fields;
pub(crate) use repr::Unfilled;
pub use vectored::{BytesBufRemaining, BytesBufVectoredWrite};
