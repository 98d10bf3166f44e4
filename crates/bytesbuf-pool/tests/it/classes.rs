//! Which blocks serve which request.
#![expect(unsafe_code, reason = "writes to blocks")]

use bytesbuf_pool::{GlobalPool, SizeClass};

#[test]
fn requests_map_to_exactly_these_blocks() {
    let table = [
        (1, 1024, 1),
        (1023, 1024, 1),
        (1024, 1024, 1),
        (1025, 4096, 1),
        (4096, 4096, 1),
        (4097, 16_384, 1),
        (16_384, 16_384, 1),
        (16_385, 65_536, 1),
        (65_535, 65_536, 1),
        (65_536, 65_536, 1),
        (65_537, 65_536, 2),
        (131_072, 65_536, 2),
        (131_073, 65_536, 3),
        (usize::MAX - 65_535, 65_536, usize::MAX / 65_536),
        (usize::MAX - 65_534, 65_536, usize::MAX / 65_536 + 1),
        (usize::MAX, 65_536, usize::MAX / 65_536 + 1),
    ];
    for (request, size, count) in table {
        let (class, blocks) = SizeClass::for_request(request).unwrap();
        assert_eq!(
            (class.block_size().get(), blocks.get()),
            (size, count),
            "request of {request} bytes"
        );
    }
    assert!(SizeClass::for_request(0).is_none());
}

#[test]
fn all_classes_smallest_first() {
    let sizes = SizeClass::ALL.map(|class| class.block_size().get());
    assert_eq!(sizes, [1024, 4096, 16_384, 65_536]);
}

#[test]
fn blocks_have_their_size_and_alignment_and_are_writable() {
    let pool = GlobalPool::new();
    for class in SizeClass::ALL {
        for block in [pool.rent(class).unwrap(), pool.rent(class).unwrap()] {
            assert_eq!(block.len(), class.block_size());
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
