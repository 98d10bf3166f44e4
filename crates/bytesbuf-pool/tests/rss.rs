//! After a burst, memory is back with the system: resident pages, as the kernel
//! counts them, in a process of their own.
#![cfg(all(target_os = "linux", not(any(bytesbuf_loom, miri))))]
#![expect(unsafe_code, reason = "writes blocks")]

use std::fs;
use std::sync::{Barrier, Mutex};
use std::thread;

use bytesbuf_core::BlockRefBatch;
use bytesbuf_pool::GlobalPool;

const GIB: usize = 1 << 30;
const MIB: usize = 1 << 20;

/// Bytes of the process that are in memory.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * page_size()
}

/// From the kernel's own words, so that nothing is needed to ask the C library.
fn page_size() -> usize {
    kilobytes("/proc/self/smaps", "KernelPageSize:") * 1024
}

/// A field of a file of the kernel that is given in kB. (A machine may have more bytes
/// than a process of 32 bits can count.)
fn kilobytes(file: &str, name: &str) -> usize {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / MIB as f64
}

/// Room for the blocks of a burst, with all its pages in memory: they are part of
/// the baseline.
struct Kept(Vec<Option<BlockRefBatch>>);

impl Kept {
    fn with_room_for(blocks: usize) -> Self {
        Self((0..blocks).map(|_| None).collect())
    }

    /// Rents a block for each place, and writes all of it.
    fn fill(&mut self, pool: &GlobalPool, size: usize) {
        for place in &mut self.0 {
            let (memory, len, batch) = pool.rent(size).unwrap().open();
            // SAFETY: in bounds; an opened block is the caller's to write.
            unsafe { memory.write_bytes(0xA7, len.get() as usize) };
            *place = Some(batch);
        }
    }

    fn clear(&mut self) {
        self.0.iter_mut().for_each(|place| *place = None);
    }
}

/// A burst of `bytes` bytes in blocks of `size`, from so many threads at once, that
/// are idle after it when the memory is given back.
fn burst(bytes: usize, size: usize, threads: usize) -> Figures {
    let pool = GlobalPool::new();
    let each = bytes / size / threads;
    let all: Vec<_> = (0..threads)
        .map(|_| Mutex::new(Kept::with_room_for(each)))
        .collect();
    let step = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let workers: Vec<_> = all
            .iter()
            .map(|kept| {
                scope.spawn(|| {
                    // Stack, thread cache and what the C library keeps for a thread
                    // are part of the baseline.
                    drop(pool.rent(size).unwrap());
                    step.wait();
                    step.wait();
                    kept.lock().unwrap().fill(&pool, size);
                    step.wait();
                    step.wait();
                    kept.lock().unwrap().clear();
                    step.wait();
                    step.wait();
                })
            })
            .collect();
        step.wait();
        pool.trim();
        let before = resident();
        step.wait(); // go
        step.wait(); // everything is written
        let top = resident();
        let stats = pool.stats();
        let in_use = stats.bytes_in_use();
        let slabs = stats.classes().map(|class| class.slabs()).sum();
        step.wait(); // go
        step.wait(); // everything is released
        let released = resident();
        assert_eq!(pool.stats().bytes_in_use(), 0);
        pool.trim();
        let after = resident();
        assert_eq!(pool.stats().bytes_allocated(), 0);
        step.wait();
        for worker in workers {
            worker.join().unwrap();
        }
        Figures {
            before,
            top,
            in_use,
            slabs,
            released,
            after,
        }
    })
}

struct Figures {
    before: usize,
    top: usize,
    in_use: usize,
    slabs: usize,
    released: usize,
    after: usize,
}

/// One test: resident pages are counted for the whole process.
#[test]
#[cfg_attr(
    all(
        feature = "holders",
        not(any(
            bytesbuf_pass_through,
            bytesbuf_sanitize = "address",
            bytesbuf_sanitize = "leak",
            bytesbuf_sanitize = "memory",
            bytesbuf_sanitize = "thread",
        ))
    ),
    ignore = "the ledger of who holds what keeps the memory of its largest size"
)]
#[cfg_attr(
    any(
        bytesbuf_pass_through,
        bytesbuf_sanitize = "address",
        bytesbuf_sanitize = "leak",
        bytesbuf_sanitize = "memory",
        bytesbuf_sanitize = "thread",
    ),
    ignore = "what stays of single blocks is the allocator's, or the sanitizer's, affair"
)]
fn memory_of_a_burst_goes_back() {
    // A small machine gets a small burst.
    let roomy = kilobytes("/proc/meminfo", "MemAvailable:") >= 4 * (GIB / 1024);
    let bytes = if roomy { GIB } else { GIB / 4 };
    // A small service's own data: a process of nothing but this test is 3.5 MiB, of
    // which five percent are 40 pages.
    let state = vec![1_u8; 32 * MIB];
    // What the process touches the first time that it does all this: code, buffers
    // of the standard library.
    burst(8 * MIB, 4096, 4);
    burst(8 * MIB, 65_536, 4);
    for threads in [1, 4] {
        for size in [4096, 65_536] {
            let figures = burst(bytes, size, threads);
            let Figures {
                before,
                top,
                in_use,
                slabs,
                released,
                after,
            } = figures;
            println!(
                "{} MiB in blocks of {size} on {threads} threads, {slabs} slabs, resident MiB: \
                 before {:.2}, top {:.1}, released {:.1}, trimmed {:.2}",
                bytes / MIB,
                mib(before),
                mib(top),
                mib(released),
                mib(after),
            );
            assert_eq!(in_use, bytes);
            // It was there, or the test shows nothing.
            assert!(top >= before + bytes);
            assert!(
                after <= before + before / 20,
                "{after} bytes, were {before}"
            );
            // The pages at both ends of a slab are shared with the allocator's own
            // notes, which stay where it does not unmap.
            assert!(after <= before + slabs * 2 * page_size(), "{slabs} slabs");
        }
    }
    assert_eq!(
        state.iter().map(|byte| usize::from(*byte)).sum::<usize>(),
        32 * MIB
    );
}
