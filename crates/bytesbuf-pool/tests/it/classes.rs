//! Which blocks serve which request.
#![expect(unsafe_code, reason = "writes to blocks")]

use bytesbuf_core::BlockProvider;
#[cfg(target_pointer_width = "64")]
use bytesbuf_core::ReserveError;
use bytesbuf_pool::{Budget, GlobalPool};

use crate::util::{CACHES, SIZES};

#[test]
fn blocks_have_their_size_and_alignment_and_are_writable() {
    let pool = GlobalPool::new();
    for size in SIZES {
        for block in [pool.rent(size).unwrap(), pool.rent(size).unwrap()] {
            assert_eq!(block.len().get() as usize, size);
            let (memory, len, batch) = block.open();
            assert_eq!(memory.addr().get() % 64, 0, "payloads are aligned to 64");
            for at in [0, len.get() as usize - 1] {
                // SAFETY: in bounds; an opened block is the caller's to write.
                let byte = unsafe { memory.add(at) };
                // SAFETY: as above.
                unsafe { byte.cast::<u8>().write(0xEE) };
            }
            drop(batch);
        }
    }
}

#[test]
fn one_block_serves_what_it_holds() {
    let pool = GlobalPool::new();
    let table = [
        (0, 1024),
        (1, 1024),
        (1024, 1024),
        (1025, 4096),
        (4097, 16_384),
        (16_385, 65_536),
        (65_536, 65_536),
        (65_537, 65_536),
        (usize::MAX, 65_536),
    ];
    for (request, size) in table {
        assert_eq!(pool.rent(request).unwrap().len().get(), size, "{request}");
    }
    assert_eq!(pool.largest_block(), 65_536);
}

#[test]
fn contiguous_blocks_of_any_size() {
    let pool = GlobalPool::new();
    let table = [
        (0, 1024),
        (1024, 1024),
        (65_536, 65_536),
        (65_537, 262_144),
        (262_145, 1 << 20),
        (1 << 20, 1 << 20),
        ((1 << 20) + 1, (1 << 20) + 1),
    ];
    for (request, size) in table {
        let block = pool.rent_contiguous(request).unwrap();
        assert_eq!(block.len().get(), size, "{request}");
        assert_eq!(pool.stats().bytes_in_use(), size as usize);
        let (memory, len, batch) = block.open();
        assert_eq!(memory.addr().get() % 64, 0);
        // SAFETY: in bounds; an opened block is the caller's to write.
        let last = unsafe { memory.add(len.get() as usize - 1) };
        // SAFETY: as above.
        unsafe { last.cast::<u8>().write(1) };
        drop(batch);
        assert_eq!(pool.stats().bytes_in_use(), 0);
    }
    let stats = pool.stats();
    assert_eq!(stats.direct_blocks_in_use(), 0);
    assert!(!CACHES || stats.classes().all(|class| class.allocations() <= 1));
}

/// Pooled ones, charged ones and allocations of their own, whatever was asked for.
#[test]
fn a_block_tells_how_much_it_keeps_in_use() {
    let pool = GlobalPool::new();
    let budgeted = pool.with_budget(&Budget::new(16 << 20));
    for pool in [pool, budgeted] {
        for (request, size) in [(1, 1024), (5000, 16_384), ((1 << 20) + 1, (1 << 20) + 1)] {
            let (_, len, references) = pool.rent_contiguous(request).unwrap().open();
            assert_eq!(len.get() as usize, size);
            assert_eq!(references.retained_bytes(), Some(size), "{request}");
        }
    }
}

/// The largest that there is: its pages are not touched, so it costs address space.
#[test]
#[cfg_attr(miri, ignore = "miri does touch them")]
#[cfg(target_pointer_width = "64")]
fn a_contiguous_block_of_almost_four_gibibytes() {
    let pool = GlobalPool::new();
    match pool.rent_contiguous(u32::MAX as usize) {
        Ok(block) => {
            assert_eq!(block.len().get(), u32::MAX);
            assert_eq!(pool.stats().direct_blocks_in_use(), 1);
            drop(pool);
            drop(block);
        }
        // A machine that does not overcommit may refuse.
        Err(ReserveError::OutOfMemory { requested }) => assert!(requested > u32::MAX as usize),
        Err(other) => panic!("{other}"),
    }
    let refused = GlobalPool::new().rent_contiguous(u32::MAX as usize + 1);
    match refused.unwrap_err() {
        ReserveError::TooLarge { requested, max } => {
            assert_eq!((requested, max), (u32::MAX as usize + 1, u32::MAX as usize));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn settings_are_obeyed() {
    let pool = GlobalPool::builder()
        .size_classes([100, 5000])
        .alignment(4096)
        .max_pooled_contiguous(7000)
        .name("odd")
        .build()
        .unwrap();
    assert_eq!(pool.name(), Some("odd"));
    let mut sizes = Vec::new();
    for request in [1, 100, 101, 12_000] {
        pool.provide(request, &mut |block| {
            let (memory, len, _batch) = block.open();
            assert_eq!(memory.addr().get() % 4096, 0);
            sizes.push(len.get());
        })
        .unwrap();
    }
    assert_eq!(sizes, [100, 100, 5000, 5000, 5000, 5000]);
    assert_eq!(pool.rent_contiguous(5001).unwrap().len().get(), 7000);
    assert_eq!(pool.rent_contiguous(7001).unwrap().len().get(), 7001);
    let classes: Vec<_> = pool
        .stats()
        .classes()
        .map(|class| (class.block_size().get(), class.is_contiguous_only()))
        .collect();
    assert_eq!(classes, [(100, false), (5000, false), (7000, true)]);
}

/// Small blocks with a large alignment take what the alignment takes, and slabs count
/// that.
#[test]
#[cfg_attr(miri, ignore = "slabs have four blocks there")]
fn slabs_stay_small_whatever_the_alignment() {
    for (size, alignment, largest) in [
        (1, 64, 600 << 10),
        (1024, 4096, 600 << 10),
        (256, 65_536, 600 << 10),
        (1024, 2 << 20, 5 << 20),
    ] {
        let pool = GlobalPool::builder()
            .size_classes([size])
            .alignment(alignment)
            .build()
            .unwrap();
        drop(pool.rent(1).unwrap());
        let bytes = pool.stats().bytes_allocated();
        assert!(bytes <= largest, "{size} {alignment}: {bytes}");
    }
}

#[test]
fn an_alignment_beyond_the_page() {
    let pool = GlobalPool::builder()
        .size_classes([1 << 16])
        .alignment(1 << 21)
        .build()
        .unwrap();
    let blocks = [pool.rent(1).unwrap(), pool.rent(1).unwrap()];
    for block in blocks {
        assert_eq!(block.open().0.addr().get() % (1 << 21), 0);
    }
}
/// Half a mebibyte, and an eighth of what the class has once that is more, up to four;
/// headers and alignment included.
#[test]
#[cfg_attr(miri, ignore = "slabs have four blocks there")]
#[cfg_attr(bytesbuf_pass_through, ignore = "slabs have one block there")]
fn slabs_grow_with_what_their_class_has() {
    for (size, alignment) in [(4096, 64), (65_536, 64), (1024, 4096)] {
        let pool = GlobalPool::builder()
            .size_classes([size])
            .alignment(alignment)
            .build()
            .unwrap();
        let block_takes = (size as usize).next_multiple_of(alignment) + 64;
        let mut blocks = Vec::new();
        let mut before = 0;
        let mut largest = 0;
        while before < 48 << 20 {
            blocks.push(pool.rent(1).unwrap());
            let allocated = pool.stats().bytes_allocated();
            let slab = allocated - before;
            if slab > 0 {
                let right = (before / 8).clamp(512 << 10, 4 << 20);
                // As many blocks as fit; a header and a gap beside them.
                let around = 128 + alignment;
                assert!(
                    slab <= right + around && slab + block_takes > right,
                    "{slab} bytes, not {right}, after {before}"
                );
                largest = slab;
            }
            before = allocated;
        }
        assert!(largest > (4 << 20) - 2 * block_takes, "{largest}");
    }
}

/// However many there are of them.
#[test]
#[cfg_attr(miri, ignore = "slabs have four blocks there")]
fn blocks_larger_than_a_slab_are_allocated_one_by_one() {
    let size = 600_000;
    let pool = GlobalPool::builder().size_classes([size]).build().unwrap();
    let blocks: Vec<_> = (0..40).map(|_| pool.rent(1).unwrap()).collect();
    let stats = pool.stats();
    let class = stats.classes().next().unwrap();
    assert_eq!(class.slabs(), blocks.len());
    let least = blocks.len() * size as usize;
    assert!(stats.bytes_allocated() <= least + blocks.len() * 256);
}
