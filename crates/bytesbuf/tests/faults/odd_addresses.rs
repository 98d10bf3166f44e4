//! Owners whose bytes begin at odd addresses, and numbers in them: no bit of an
//! address has another meaning, and no read needs an alignment.

use bytesbuf::BytesView;

/// Its bytes begin anywhere in a vector.
struct Shifted(Vec<u8>, usize);

impl AsRef<[u8]> for Shifted {
    fn as_ref(&self) -> &[u8] {
        &self.0[self.1..]
    }
}

#[test]
fn owners_at_every_address_modulo_sixteen() {
    for shift in 0..16 {
        let view = BytesView::from_owner(Shifted((0..64).collect(), shift));
        let address = view.first_slice().as_ptr().addr();
        let whole: Vec<u8> = (shift as u8..64).collect();
        assert_eq!(view, whole);
        // Shared, cut and joined, with the address as it was.
        let mut twin = view.clone();
        let front = twin.split_to(9);
        let joined = front.concat(twin);
        assert_eq!(joined.first_slice().as_ptr().addr(), address);
        assert_eq!(joined.slices().count(), 1);
        let list = view.concat(BytesView::from_static(b"x"));
        assert_eq!(list.first_slice().as_ptr().addr(), address);
        drop(view);
        assert_eq!(list.range(..whole.len()), whole);
    }
    // A whole allocation of one byte, at whatever address.
    let bytes: Vec<_> = (0..50).map(|n| BytesView::from(vec![n])).collect();
    assert!(bytes.iter().zip(0..).all(|(view, n)| *view == [n]));
}

#[test]
fn numbers_are_read_and_written_at_every_address() {
    for shift in 0..16 {
        let mut view = BytesView::from_owner(Shifted((0..120).collect(), shift));
        let at = |start: usize| -> [u8; 16] {
            std::array::from_fn(|i| u8::try_from(shift + start + i).unwrap())
        };
        assert_eq!(view.get_u128_le(), u128::from_le_bytes(at(0)));
        assert_eq!(view.get_num_be::<u128>(), u128::from_be_bytes(at(16)));
        assert_eq!(
            view.get_u64_ne(),
            u64::from_ne_bytes(at(32)[..8].try_into().unwrap())
        );
        let double = f64::from_le_bytes(at(40)[..8].try_into().unwrap());
        assert_eq!(view.get_num_le::<f64>().to_bits(), double.to_bits());
        assert_eq!(
            view.get_i16_be(),
            i16::from_be_bytes(at(48)[..2].try_into().unwrap())
        );
        assert_eq!(
            view.get_u32_le(),
            u32::from_le_bytes(at(50)[..4].try_into().unwrap())
        );
    }
}

/// On 32 bits, the sum of lengths can pass what a `usize` holds.
#[test]
#[cfg(target_pointer_width = "32")]
fn lengths_beyond_the_address_space_are_refused() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let piece = BytesView::from(vec![1; 1 << 20]);
    let half = |view: &BytesView| view.range(..view.len() / 2);
    // Neighbours would merge: the halves are swapped.
    let swapped = piece.range(1..).concat(half(&piece));
    let mut whole = BytesView::new();
    while whole.len().checked_add(swapped.len()).is_some() {
        whole.append(swapped.clone());
    }
    let len = whole.len();
    let outcome = catch_unwind(AssertUnwindSafe(|| whole.append(swapped.clone())));
    assert!(outcome.is_err());
    assert_eq!(whole.len(), len);
    assert!(catch_unwind(|| whole.concat(swapped.clone())).is_err());
    let mut buf = bytesbuf::BytesBuf::from(whole);
    let outcome = catch_unwind(AssertUnwindSafe(|| buf.put_bytes(swapped.clone())));
    assert!(outcome.is_err());
    assert_eq!((buf.len(), buf.capacity()), (len, len));
}
