//! Resident memory of this process, and what it may be.

use std::fs;

use bytesbuf::mem::GlobalPool;

use crate::worker::{SHORT_MESSAGES, SHORT_THREADS};

pub(crate) const MIB: usize = 1 << 20;

/// Bytes of blocks that may be rented at a time.
pub(crate) const BUDGET: usize = 64 * MIB;

/// Bytes of blocks that the depot may keep.
pub(crate) const MAX_CACHED: usize = 16 * MIB;

/// Bytes of the largest block: one that serves a contiguous request of 200 KiB.
const LARGEST: usize = MIB / 4;

/// What the process has beside the pool: code, stacks, the buffers that messages
/// are written from and copied to, what the C library keeps of them; and slabs that
/// are kept by a few blocks in use, whose free blocks are neither in use nor cached.
pub(crate) const ALLOWANCE: usize = 24 * MIB;

/// What may stay after a trim, beside what there was, though the pool has nothing from
/// the allocator any more: heaps that the C library keeps for threads to come, and pages
/// at the borders of slabs in them. glibc: 12 MiB after 15 seconds, 20 after five
/// minutes; 7 with a single heap (`MALLOC_ARENA_MAX=1`).
pub(crate) const REMAINDER: usize = ALLOWANCE;

/// Bytes resident now; `None` where the system does not say.
pub(crate) fn resident() -> Option<usize> {
    status("VmRSS:")
}

/// The most that was ever resident.
pub(crate) fn most_resident() -> Option<usize> {
    status("VmHWM:")
}

fn status(name: &str) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// What may be resident at most, and the part of it that are free blocks with
/// threads.
pub(crate) struct Bound {
    pub(crate) magazines: usize,
    pub(crate) total: usize,
}

impl Bound {
    pub(crate) fn new(workers: usize) -> Self {
        // A worker has two magazines a class, of 64, 32, 16, 8 and 2 blocks. A
        // short-lived thread has at most what it has had in hand.
        let of_worker = 2 * (64 * 1024 + 32 * 4096 + 16 * 16_384 + 8 * 65_536 + 2 * LARGEST);
        let of_short_thread = SHORT_MESSAGES * LARGEST;
        let magazines = workers * (of_worker + SHORT_THREADS * of_short_thread);
        Self {
            magazines,
            total: BUDGET + MAX_CACHED + magazines + ALLOWANCE,
        }
    }
}

/// The pool that is soaked.
pub(crate) fn pool() -> GlobalPool {
    GlobalPool::builder()
        .name("soak")
        .max_bytes(BUDGET)
        .max_cached_bytes(MAX_CACHED)
        .max_pooled_contiguous(LARGEST as u32)
        .build()
        .expect("the settings are valid")
}
