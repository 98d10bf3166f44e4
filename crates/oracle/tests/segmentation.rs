//! Properties: however the same bytes are cut into slices, and whatever those are made
//! of, equality, order, hash, search and every way to read say the same; and that
//! is what `[u8]` says.

use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, Read};

use bytes::{Buf, Bytes};
use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::{BytesBuf, BytesView};
use proptest::collection::vec;
use proptest::prelude::*;

/// Few values, so that equal pieces, prefixes and near misses are common.
fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => vec(0..3_u8, 0..40),
        1 => vec(any::<u8>(), 0..300),
        1 => Just(Vec::new()),
    ]
}

/// How one piece is held: length, kind of owner.
fn cuts() -> impl Strategy<Value = Vec<(usize, u8)>> {
    vec((0..12_usize, 0..6_u8), 0..30)
}

/// The bytes, cut and held as told, with nothing in front that is consumed already.
fn view(content: &[u8], cuts: &[(usize, u8)]) -> BytesView {
    let mut rest = content;
    let mut view = BytesView::new();
    // Bytes in front, consumed in the end: the first slice is one in part.
    view.append(BytesView::from(b"gone".to_vec()));
    for &(len, kind) in cuts {
        let (piece, behind) = rest.split_at(len.min(rest.len()));
        rest = behind;
        view.append(hold(piece, kind));
    }
    view.append(hold(rest, 0));
    view.advance(4);
    view
}

fn hold(piece: &[u8], kind: u8) -> BytesView {
    match kind {
        0 => BytesView::from(piece.to_vec()),
        1 => BytesView::from(Bytes::copy_from_slice(piece)),
        2 => {
            let memory = FixedBlockMemory::new(std::num::NonZero::new(3).unwrap());
            BytesView::copied_from_slice(piece, &memory)
        }
        3 => {
            // In the middle of something larger.
            let mut larger = b"<<".to_vec();
            larger.extend(piece);
            larger.extend(b">>");
            BytesView::from(larger).range(2..2 + piece.len())
        }
        4 => {
            let mut buf = TransparentMemory::new().reserve(piece.len() + 5);
            buf.put_slice(piece);
            buf.consume_all()
        }
        _ => {
            let mut buf = BytesBuf::from(BytesView::from(piece.to_vec()));
            buf.consume_all()
        }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #[test]
    fn one_content_is_one_value(content in content(), one in cuts(), other in cuts()) {
        let (one, other) = (view(&content, &one), view(&content, &other));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one.cmp(&other), Ordering::Equal);
        prop_assert_eq!(one.partial_cmp(&other), Some(Ordering::Equal));
        prop_assert_eq!(hash(&one), hash(&other));
        prop_assert_eq!(one.len(), content.len());
        prop_assert_eq!(one.hex().to_string(), other.hex().to_string());
        prop_assert_eq!(one.escaped().to_string(), other.escaped().to_string());
        // A pair of values hashes as a pair: where one ends is part of it.
        prop_assert_eq!(hash(&(&one, &other)), hash(&(&other, &one)));
    }

    #[test]
    fn two_contents_compare_as_slices(
        left in content(),
        right in content(),
        one in cuts(),
        other in cuts(),
    ) {
        let (a, b) = (view(&left, &one), view(&right, &other));
        prop_assert_eq!(a == b, left == right);
        prop_assert_eq!(a.cmp(&b), left.cmp(&right));
        prop_assert_eq!(b.cmp(&a), right.cmp(&left));
        prop_assert_eq!(a < b, left < right);
        if left != right {
            prop_assert_ne!(hash(&a), hash(&b));
        }
    }

    #[test]
    fn a_near_miss_is_no_match(content in content(), at in any::<usize>(), one in cuts(), other in cuts()) {
        prop_assume!(!content.is_empty());
        let mut wrong = content.clone();
        let at = at % wrong.len();
        wrong[at] ^= 1;
        let (a, b) = (view(&content, &one), view(&wrong, &other));
        prop_assert_ne!(&a, &b);
        prop_assert_eq!(a.cmp(&b), content.cmp(&wrong));
        let shorter = view(&content[..content.len() - 1], &other);
        prop_assert_ne!(&a, &shorter);
        prop_assert!(shorter < a);
    }

    /// Both ways round, and unequal where the slices are.
    #[test]
    fn with_whatever_holds_bytes(content in content(), other in content(), one in cuts()) {
        let view = view(&content, &one);
        for bytes in [content.clone(), other] {
            let equal = bytes == content;
            prop_assert_eq!(view == bytes, equal);
            prop_assert_eq!(bytes == view, equal);
            prop_assert_eq!(view == *bytes.as_slice(), equal);
            prop_assert_eq!(*bytes.as_slice() == view, equal);
            prop_assert_eq!(view == bytes.as_slice(), equal);
            prop_assert_eq!(bytes.as_slice() == view, equal);
            let foreign = Bytes::from(bytes.clone());
            prop_assert_eq!(view == foreign, equal);
            prop_assert_eq!(foreign == view, equal);
            if let Ok(text) = std::str::from_utf8(&bytes) {
                prop_assert_eq!(view == text, equal);
                prop_assert_eq!(*text == view, equal);
                prop_assert_eq!(text == view, equal);
            }
            if let Some(array) = bytes.first_chunk::<3>() {
                let equal = content == array;
                prop_assert_eq!(view == *array, equal);
                prop_assert_eq!(view == array, equal);
                prop_assert_eq!(*array == view, equal);
                prop_assert_eq!(array == view, equal);
            }
        }
    }

    /// Every door to the content gives the same bytes.
    #[test]
    fn every_way_to_read(content in content(), one in cuts(), step in 1..9_usize) {
        let view = view(&content, &one);
        prop_assert_eq!(view.to_vec(), &content[..]);
        prop_assert_eq!(view.to_bytes(), &content[..]);
        let slices: Vec<u8> = view.slices().flat_map(|(slice, _)| slice).copied().collect();
        prop_assert_eq!(slices, &content[..]);
        let mut io = Vec::new();
        view.io_slices().for_each(|slice| io.extend_from_slice(&slice));
        prop_assert_eq!(io, &content[..]);

        let mut visited = Vec::new();
        view.clone().consume_all_slices(|slice| visited.extend_from_slice(slice));
        prop_assert_eq!(visited, &content[..]);
        let mut read = Vec::new();
        view.clone().read_to_end(&mut read).unwrap();
        prop_assert_eq!(read, &content[..]);
        let mut pieces = Vec::new();
        let mut rest = view.clone();
        while !rest.is_empty() {
            let now = step.min(rest.len());
            pieces.extend(rest.split_to(now).to_vec());
        }
        prop_assert_eq!(pieces, &content[..]);
        let mut chunks = Vec::new();
        let mut rest = view.clone();
        while rest.has_remaining() {
            let chunk = rest.chunk();
            prop_assert!(!chunk.is_empty());
            let now = chunk.len().min(step);
            chunks.extend_from_slice(&chunk[..now]);
            Buf::advance(&mut rest, now);
        }
        prop_assert_eq!(chunks, &content[..]);
    }

    /// Search is std's over `BufRead`: what a delimiter cuts off does not depend on
    /// the slices.
    #[test]
    fn what_a_search_finds(content in content(), one in cuts(), delimiter in 0..4_u8) {
        let mut rest = view(&content, &one);
        for piece in content.split_inclusive(|&byte| byte == delimiter) {
            let mut found = Vec::new();
            let read = rest.read_until(delimiter, &mut found).unwrap();
            prop_assert_eq!(read, piece.len());
            prop_assert_eq!(found, piece);
        }
        prop_assert!(rest.is_empty());
    }

    /// A part of a view is the same part of its bytes, wherever the cuts are.
    #[test]
    fn parts_of_it(content in content(), one in cuts(), from in any::<usize>(), to in any::<usize>()) {
        let view = view(&content, &one);
        let from = from % (content.len() + 1);
        let to = from + to % (content.len() - from + 1);
        let expected = &content[from..to];
        let part = view.range(from..to);
        prop_assert_eq!(&part, expected);
        prop_assert_eq!(hash(&part), hash(&BytesView::from(expected.to_vec())));
        let mut cut = view.clone();
        cut.truncate(to);
        cut.advance(from);
        prop_assert_eq!(&cut, &part);
        let mut other = view.clone();
        let tail = other.split_off(to);
        let middle = other.split_off(from);
        prop_assert_eq!(&middle, &part);
        prop_assert_eq!(other.concat(middle).concat(tail), view);
    }
}
