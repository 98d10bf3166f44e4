//! Equality and order: by content, however it is divided into spans.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{BytesView, BytesViewSlices};

/// Compares two sequences of slices as one sequence of bytes each.
fn compare<'a>(
    mut left: impl Iterator<Item = &'a [u8]>,
    mut right: impl Iterator<Item = &'a [u8]>,
) -> Ordering {
    let (mut a, mut b): (&[u8], &[u8]) = (&[], &[]);
    loop {
        if a.is_empty() {
            a = left.next().unwrap_or_default();
        }
        if b.is_empty() {
            b = right.next().unwrap_or_default();
        }
        let count = a.len().min(b.len());
        if count == 0 {
            return a.len().cmp(&b.len());
        }
        let ((a_now, a_rest), (b_now, b_rest)) = (a.split_at(count), b.split_at(count));
        match a_now.cmp(b_now) {
            Ordering::Equal => (a, b) = (a_rest, b_rest),
            unequal => return unequal,
        }
    }
}

fn bytes(slices: BytesViewSlices<'_>) -> impl Iterator<Item = &[u8]> {
    slices.map(|(slice, _)| slice)
}

fn eq_slice(view: &BytesView, mut other: &[u8]) -> bool {
    if view.len() != other.len() {
        return false;
    }
    bytes(view.slices()).all(|slice| {
        let (now, rest) = other.split_at(slice.len());
        other = rest;
        slice == now
    })
}

impl PartialEq for BytesView {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && compare(bytes(self.slices()), bytes(other.slices())).is_eq()
    }
}

impl Eq for BytesView {}

/// Lexicographic, as for `[u8]`.
impl Ord for BytesView {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(bytes(self.slices()), bytes(other.slices()))
    }
}

impl PartialOrd for BytesView {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

macro_rules! eq_bytes {
    ($({$($generic:tt)*} $other:ty, |$value:ident| $bytes:expr;)*) => {$(
        impl<$($generic)*> PartialEq<$other> for BytesView {
            fn eq(&self, other: &$other) -> bool {
                let $value = other;
                eq_slice(self, $bytes)
            }
        }

        impl<$($generic)*> PartialEq<BytesView> for $other {
            fn eq(&self, other: &BytesView) -> bool {
                other == self
            }
        }
    )*};
}

eq_bytes! {
    {} [u8], |other| other;
    {} &[u8], |other| other;
    {const N: usize} [u8; N], |other| other;
    {const N: usize} &[u8; N], |other| *other;
    {} Vec<u8>, |other| other;
    {} str, |other| other.as_bytes();
    {} &str, |other| other.as_bytes();
}

#[cfg(feature = "bytes-compat")]
eq_bytes! {
    {} bytes::Bytes, |other| other;
}
