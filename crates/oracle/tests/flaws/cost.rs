//! Flaws 12 to 21: what takes too much. No clocks: either an operation is counted,
//! or the amount is such that a quadratic algorithm would not end.

use std::collections::HashSet;

use bytes::Buf;
use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{GlobalPool, Memory};
use bytesbuf::{BytesBuf, BytesBufWriter, BytesView, MemoryGuard};
use bytesbuf_oracle::planks::ours::Carpenter;

const MILLION: usize = 1_000_000;

/// One-byte views, no two of them neighbours in memory.
fn one_byte_views() -> [BytesView; 2] {
    [BytesView::from(vec![b'a']), BytesView::from(vec![b'b'])]
}

/// As long as a million appends: `abab...`.
fn long_view() -> BytesView {
    let pieces = one_byte_views();
    let mut long = BytesView::new();
    for i in 0..MILLION {
        long.append(pieces[i % 2].clone());
    }
    assert_eq!((long.len(), long.slices().count()), (MILLION, MILLION));
    long
}

#[test]
fn flaw_12_values_are_small_to_move() {
    assert!(size_of::<BytesView>() <= 64 && size_of::<published::BytesView>() > 4 * 64);
    assert!(size_of::<BytesBuf>() <= 128 && size_of::<published::BytesBuf>() > 4 * 128);
    assert!(size_of::<BytesBufWriter<GlobalPool>>() <= 128 + 16);
    assert!(size_of::<MemoryGuard>() <= 128);
    assert_eq!(size_of::<Option<BytesView>>(), size_of::<BytesView>());
}

#[test]
fn flaw_13_a_million_views_are_appended_and_read_one_by_one() {
    let mut long = long_view();
    for i in 0..MILLION {
        assert_eq!(long.get_byte(), b"ab"[i % 2]);
    }
    assert!(long.is_empty());
}

#[test]
fn flaw_13_a_million_frozen_slices_are_consumed_one_by_one() {
    let pieces = one_byte_views();
    let mut buf = BytesBuf::new();
    for i in 0..MILLION {
        buf.put_bytes(pieces[i % 2].clone());
    }
    for i in 0..MILLION {
        assert_eq!(buf.consume(1).first_slice()[0], b"ab"[i % 2]);
    }
    assert!(buf.is_empty());
}

#[test]
fn flaw_13_blocks_are_reserved_one_by_one() {
    const BLOCKS: usize = 100_000;
    let memory = FixedBlockMemory::new(std::num::NonZero::<u32>::MIN);
    let mut buf = BytesBuf::new();
    for n in 1..=BLOCKS {
        buf.reserve(n, &memory);
    }
    assert_eq!(buf.remaining_capacity(), BLOCKS);
    for i in 0..BLOCKS {
        buf.put_byte(i as u8);
    }
    let view = buf.consume_all();
    assert!(
        view.slices()
            .flat_map(|(slice, _)| slice)
            .copied()
            .eq((0..BLOCKS).map(|i| i as u8))
    );
}

#[test]
fn flaw_14_ranges_of_a_long_view_do_not_walk_to_their_place() {
    let long = long_view();
    let half = MILLION / 2;
    for i in 0..half {
        assert_eq!(
            long.range(half + i..half + i + 1),
            if i % 2 == 0 { b"a" } else { b"b" }
        );
    }
}

#[test]
fn flaw_14_the_cost_of_a_clone_does_not_grow_with_the_slices() {
    let carpenter = Carpenter::default();
    let mut view = BytesView::copied_from_slice(&[1; 1000], &carpenter);
    let slices = view.slices().count();
    assert!(slices > 40);
    // The first clone may turn the view into something that can be shared.
    let first = view.clone();
    let before = carpenter.retains();
    let clones: Vec<_> = (0..10).map(|_| view.clone()).collect();
    assert!(
        carpenter.retains() - before <= 10,
        "{} retains",
        carpenter.retains() - before
    );
    view.advance(999);
    assert!(
        clones
            .iter()
            .all(|clone| *clone == first && clone.len() == 1000)
    );
    drop((view, clones, first));
    assert_eq!(carpenter.references(), 0);
}

#[test]
fn flaw_14_a_block_that_is_handed_over_whole_is_not_retained() {
    let carpenter = Carpenter::default();
    let mut buf = BytesBuf::from_blocks([carpenter.plank(4)]);
    buf.put_slice(*b"abcd");
    let view = buf.consume_all();
    assert_eq!(carpenter.retains(), 0);
    assert_eq!(view, b"abcd");
}

#[test]
fn flaw_15_neighbours_of_one_block_are_one_slice() {
    // Taken off bit by bit, and joined again.
    let mut buf = TransparentMemory::new().reserve(100);
    let mut joined = BytesView::new();
    for i in 0..50 {
        buf.put_slice([i, i]);
        joined.append(buf.consume_all());
    }
    assert_eq!(joined.slices().count(), 1);
    assert_eq!(joined.to_bytes().as_ptr(), joined.first_slice().as_ptr());

    // Cut, and put together.
    let cut: Vec<_> = (0..100).map(|i| joined.range(i..=i)).collect();
    assert_eq!(BytesView::from_views(cut).slices().count(), 1);

    // Through a buffer, in two ways.
    let mut again = BytesBuf::new();
    let mut rest = joined.clone();
    while !rest.is_empty() {
        again.put_bytes(rest.split_to(5));
    }
    assert_eq!(again.peek().slices().count(), 1);
    assert_eq!(again.consume_all(), joined);
}

#[test]
fn flaw_15_what_only_looks_like_a_neighbour_stays_apart() {
    let view = BytesView::from(b"abcdef".to_vec());
    let mut swapped = view.range(3..);
    swapped.append(view.range(..3));
    assert_eq!(swapped, b"defabc");
    let mut twice = view.range(..3);
    twice.append(view.range(..3));
    assert_eq!(twice, b"abcabc");

    // The metadata of a block stays with its bytes.
    let carpenter = Carpenter::default();
    let view = BytesView::copied_from_slice(&[0; 40], &carpenter);
    let blocks: Vec<_> = view
        .slices()
        .map(|(slice, meta)| (slice.len(), meta.is_some()))
        .collect();
    assert!(
        blocks.len() > 1 && blocks.iter().all(|(_, meta)| *meta),
        "{blocks:?}"
    );
}

#[test]
fn flaw_16_memory_of_a_burst_goes_back_while_the_pool_lives() {
    const BURST: usize = 200 << 20;
    let pool = GlobalPool::new();
    let view = pool.reserve(10);
    drop(pool.reserve(BURST));
    // What does not fit the caches is back at once, the rest when asked for.
    assert!(pool.stats().bytes_allocated() < BURST / 2);
    pool.trim();
    let left = pool.stats().bytes_allocated();
    // Elsewhere a thread gives its own magazines back at its next slow path only.
    let most = if cfg!(target_os = "linux") {
        1 << 20
    } else {
        32 << 20
    };
    assert!(left < most, "{left} bytes for one block of 1024");
    drop(view);
}

#[test]
fn flaw_17_a_small_view_can_let_go_of_its_block() {
    let pool = GlobalPool::new();
    let mut buf = pool.reserve(60_000);
    buf.put_byte_repeated(7, 60_000);
    let mut key = buf.consume(10);
    drop(buf);
    assert_eq!((key.len(), key.retained_bytes()), (10, 65_536));
    key.detach(&pool);
    assert_eq!((key.len(), key.retained_bytes()), (10, 1024));
    assert_eq!(pool.stats().bytes_in_use(), 1024);
    // And classes can be chosen, so that what is requested often fits.
    let fitting = GlobalPool::builder().size_classes([1100, 70_000]).build();
    let fitting: GlobalPool = fitting.unwrap();
    assert!(fitting.reserve(1025).capacity() < 1200);
    assert!(fitting.reserve(65_537).capacity() < 71_000);
}

#[test]
fn flaw_19_a_part_of_a_slice_becomes_bytes_without_a_copy() {
    let mut view = BytesView::from(b"header and body".to_vec());
    let start = view.first_slice().as_ptr();
    let header = view.copy_to_bytes(6);
    assert_eq!((&header[..], header.as_ptr()), (&b"header"[..], start));
    assert_eq!(view, b" and body");
}

#[test]
fn flaw_21_pool_memory_is_aligned_to_a_cache_line() {
    let pool = GlobalPool::new();
    let mut seen = HashSet::new();
    for size in [1, 1024, 1025, 4096, 16384, 65536, 200_000] {
        let mut buf = Memory::reserve(&pool, size);
        let mut write = buf.begin_vectored_write(None);
        for (slice, _) in write.slices_mut() {
            assert_eq!(slice.as_ptr().addr() % 64, 0, "a block for {size} bytes");
            seen.insert(slice.len());
        }
    }
    assert_eq!(seen, HashSet::from([1024, 4096, 16384, 65536]));
}
