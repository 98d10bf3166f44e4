//! Behaviour of buffers and views through the public API.
#![expect(unsafe_code, reason = "plays a provider that counts its blocks")]

mod algebra;
mod counting;
mod last_bytes;
mod lifetime;
mod panics;
mod paths;
mod reading;
mod retention;
mod vectored;
#[cfg(feature = "std")]
mod wipe;
