//! Bytes may begin at any address: no bit of a pointer to them is anybody's tag.
#![cfg(all(feature = "alloc", not(bytesbuf_loom)))]

use bytesbuf_core::OwnedMemory;

/// The bytes of a vector from some index on.
struct From(usize, Vec<u8>);

impl AsRef<[u8]> for From {
    fn as_ref(&self) -> &[u8] {
        &self.1[self.0..]
    }
}

#[test]
fn owners_at_every_address_keep_it() {
    for start in 0..16 {
        let owner = From(start, (0..40).collect());
        let expected = owner.as_ref().as_ptr_range();
        let memory = OwnedMemory::hold(owner);
        assert_eq!(
            memory.as_slice().as_ptr_range(),
            expected,
            "from {start} on"
        );
        assert!(memory.as_slice().iter().copied().eq(start as u8..40));

        // Moved to another thread, and apart.
        let there = std::thread::spawn(move || {
            let (first, len, block) = memory.into_parts();
            let address = first.addr().get();
            drop(block);
            (address, len)
        });
        let (address, len) = there.join().unwrap();
        assert_eq!((address, len), (expected.start.addr(), 40 - start));
    }
}
