//! From and to other owners of bytes.

#[cfg(feature = "bytes-compat")]
mod bytes;
mod owner;

#[cfg(all(test, not(bytesbuf_loom)))]
pub(crate) use owner::owner_span;
