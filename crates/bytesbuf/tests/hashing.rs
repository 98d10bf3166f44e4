//! A hasher may see how its input is divided (those of `rustc-hash` and `ahash` do;
//! the standard one does not): views that are equal must be fed to it alike.
#![cfg(not(bytesbuf_loom))]

use std::hash::{Hash, Hasher};

use bytesbuf::BytesView;

/// Keeps what it is fed, call by call.
#[derive(Debug, Default, PartialEq)]
struct Calls(Vec<Vec<u8>>);

impl Hasher for Calls {
    fn write(&mut self, bytes: &[u8]) {
        self.0.push(bytes.to_vec());
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn calls(view: &BytesView) -> Calls {
    let mut calls = Calls::default();
    view.hash(&mut calls);
    calls
}

/// A view of these bytes in pieces that end at these places.
fn cut(bytes: &[u8], ends: &[usize]) -> BytesView {
    let mut starts = vec![0];
    starts.extend(ends);
    let ends = ends.iter().copied().chain([bytes.len()]);
    let pieces = starts.into_iter().zip(ends);
    BytesView::from_views(pieces.map(|(start, end)| BytesView::from(bytes[start..end].to_vec())))
}

#[test]
fn equal_views_feed_a_hasher_alike() {
    let lens: &[usize] = if cfg!(miri) {
        &[0, 1, 65]
    } else {
        &[0, 1, 2, 63, 64, 65, 127, 128, 129, 200]
    };
    for &len in lens {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        let whole = calls(&cut(&bytes, &[]));
        let fed: usize = whole.0.iter().map(Vec::len).sum();
        assert!(fed >= len, "{len} bytes, and {fed} are fed");
        for first in 0..=len {
            assert_eq!(calls(&cut(&bytes, &[first])), whole, "{len} at {first}");
            for second in (first..=len).step_by(13) {
                let view = cut(&bytes, &[first, second]);
                assert_eq!(calls(&view), whole, "{len} at {first} and {second}");
            }
        }
        let single: Vec<usize> = (1..len).collect();
        assert_eq!(calls(&cut(&bytes, &single)), whole, "{len} in single bytes");
    }
}

#[test]
fn other_views_are_fed_otherwise() {
    let views: [&[u8]; 5] = [b"", b"\0", b"\0\0", b"a", b"a\0"];
    for left in views {
        for right in views {
            let (one, other) = (calls(&cut(left, &[])), calls(&cut(right, &[])));
            assert_eq!(one == other, left == right, "{left:?} {right:?}");
        }
    }
}
