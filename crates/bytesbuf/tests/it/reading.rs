//! Numbers, comparison, hashing, formatting and `std::io`, for every way to cut the
//! same bytes into spans.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, IoSliceMut, Read};

use bytesbuf::{BytesBuf, BytesView};

use crate::counting::Counting;

/// The same bytes in blocks of 1, 2, 3, 5, 64 and 1,000 bytes.
fn cuts(bytes: &[u8]) -> Vec<BytesView> {
    let sizes: &[u32] = if cfg!(miri) {
        &[7, 1000]
    } else {
        &[1, 2, 3, 5, 64, 1000]
    };
    let cut = |&size| BytesView::copied_from_slice(bytes, &Counting::new(size, true));
    sizes.iter().map(cut).collect()
}

#[test]
fn numbers_straddle_spans() {
    let memory = Counting::new(3, true);
    let mut buf = BytesBuf::new();
    buf.reserve(200, &memory);
    buf.put_u16_le(0x0102);
    buf.put_i32_be(-5);
    buf.put_f64_ne(1.5);
    buf.put_num_le(0x0102_0304_0506_0708_u64);
    buf.put_num_be(7_u8);
    buf.put_u128_be(u128::MAX - 1);
    buf.put_num_ne(-9_i16);
    let mut view = buf.consume_all();
    assert_eq!(view.get_u16_le(), 0x0102);
    assert_eq!(view.get_num_be::<i32>(), -5);
    assert_eq!(view.try_get_f64_ne(), Ok(1.5));
    assert_eq!(view.get_num_le::<u64>(), 0x0102_0304_0506_0708);
    assert_eq!(view.get_num_be::<u8>(), 7);
    assert_eq!(view.get_u128_be(), u128::MAX - 1);
    assert_eq!(view.try_get_num_ne::<i16>(), Ok(-9));
    assert_eq!(view.try_get_num_ne::<i16>().unwrap_err().requested, 2);
    assert!(view.is_empty());
}

#[test]
fn equality_order_and_hash_do_not_see_spans() {
    let hash = |view: &BytesView| {
        let mut hasher = DefaultHasher::new();
        view.hash(&mut hasher);
        hasher.finish()
    };
    let bytes: Vec<u8> = (0..200).collect();
    let mut greater = bytes.clone();
    greater[150] += 1;
    for left in cuts(&bytes) {
        for right in cuts(&bytes) {
            assert_eq!(left, right);
            assert_eq!(left.cmp(&right), std::cmp::Ordering::Equal);
            assert_eq!(hash(&left), hash(&right));
        }
        for right in cuts(&greater) {
            assert_ne!(left, right);
            assert!(left < right);
            assert_ne!(hash(&left), hash(&right));
        }
        for right in cuts(&bytes[..199]) {
            assert!(right < left);
            assert_ne!(left, right);
        }
        assert_eq!(left, bytes);
        assert_eq!(bytes, left);
        assert_eq!(left, *bytes.as_slice());
        assert_eq!(left, bytes.as_slice());
        assert_ne!(left, [0_u8; 200]);
    }
    assert_eq!(BytesView::from_static(b"text"), "text");
    assert_eq!(*"text", BytesView::from_static(b"text"));
}

#[test]
fn comparison_is_that_of_slices() {
    let samples: [&[u8]; 7] = [b"", b"a", b"aa", b"ab", b"b", b"ba", b"\xff"];
    for left in samples {
        for right in samples {
            for (a, b) in cuts(left).into_iter().zip(cuts(right).into_iter().rev()) {
                assert_eq!(a.cmp(&b), left.cmp(right), "{left:?} {right:?}");
                assert_eq!(a == b, left == right, "{left:?} {right:?}");
            }
        }
    }
}

#[test]
fn debug_shows_no_content() {
    for view in cuts(b"secret") {
        let text = format!("{view:?} {:?}", BytesBuf::from(view.clone()));
        assert!(text.contains("len: 6"), "{text}");
        assert!(!text.contains("secret") && !text.contains("73"), "{text}");
        assert_eq!(view.escaped().to_string(), "secret");
        assert_eq!(view.hex().to_string(), "736563726574");
    }
}

#[test]
fn reads_through_std_io() {
    let text = "one\ntwo\nthree";
    for view in cuts(text.as_bytes()) {
        let lines: Vec<String> = view.clone().lines().map(Result::unwrap).collect();
        assert_eq!(lines, ["one", "two", "three"]);

        let mut all = vec![b'>'];
        assert_eq!(view.clone().read_to_end(&mut all).unwrap(), text.len());
        assert_eq!(all, b">one\ntwo\nthree");

        let mut string = String::new();
        view.clone().read_to_string(&mut string).unwrap();
        assert_eq!(string, text);

        let mut short = view.clone();
        let mut exact = [0; 14];
        let error = short.read_exact(&mut exact).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        assert_eq!(short, text, "nothing is consumed");
        short.read_exact(&mut exact[..13]).unwrap();
        assert_eq!(&exact[..13], text.as_bytes());

        let (mut a, mut b) = ([0; 4], [0; 20]);
        let mut slices = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
        assert_eq!(view.clone().read_vectored(&mut slices).unwrap(), 13);
        assert_eq!((&a[..], &b[..9]), (&b"one\n"[..], &b"two\nthree"[..]));
        assert_eq!(view.io_slices().map(|slice| slice.len()).sum::<usize>(), 13);
    }
    for mut view in cuts(b"\xff\xfe") {
        assert!(view.read_to_string(&mut String::new()).is_err());
        assert_eq!(view.len(), 2);
    }
}
