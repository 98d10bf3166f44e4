//! What goes wrong around buffers and views: memory that is refused, user code that
//! panics or comes back, providers that break their contract, amounts at the ends of
//! their range. All of it under a global allocator that checks layouts and borders.
#![cfg(not(bytesbuf_loom))]
#![expect(
    unsafe_code,
    reason = "a global allocator, and providers of blocks that misbehave"
)]

mod aborts;
mod allocator;
mod callbacks;
mod child;
mod conservation;
#[path = "../it/counting.rs"]
mod counting;
mod counts;
#[cfg(all(target_os = "linux", not(miri)))]
mod fork;
mod full_range;
mod fuse;
mod nth_allocation;
mod odd_addresses;
mod printing;
mod providers;
mod reentry;
mod stale;
mod states;
mod threads;
mod writers;
