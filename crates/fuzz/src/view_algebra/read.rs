//! Reading, comparing, printing.
#![expect(unsafe_code, reason = "reads what was initialised from the start")]

use std::hash::{Hash, Hasher};
use std::mem::MaybeUninit;
use std::num::NonZero;

use bytes::Bytes;
use bytesbuf::BytesView;
use bytesbuf::mem::testing::FixedBlockMemory;

use super::Machine;
use super::ops::READ;
use crate::amount::Amount;
use crate::attempt::call;

impl Machine {
    pub(super) fn copy_to_slice(&mut self, x: usize, amount: Amount, checked: bool, uninit: bool) {
        let len = self.models[x].len();
        let count = amount.about(len);
        let expected = self.models[x].bytes();
        let panic = (count > len && !checked).then_some(READ);
        let view = &mut self.views[x];
        let mut bytes = vec![0xEE; count];
        let mut raw = vec![MaybeUninit::new(0xEE); count];
        let outcome = call(panic, || match (checked, uninit) {
            (true, true) => view.try_copy_to_uninit_slice(&mut raw),
            (true, false) => view.try_copy_to_slice(&mut bytes),
            (false, true) => {
                view.copy_to_uninit_slice(&mut raw);
                Ok(())
            }
            (false, false) => {
                view.copy_to_slice(&mut bytes);
                Ok(())
            }
        });
        match outcome {
            Some(Ok(())) => {
                let read = if uninit {
                    // `raw` was initialised from the start.
                    // SAFETY: as above.
                    raw.iter()
                        .map(|byte| unsafe { byte.assume_init() })
                        .collect()
                } else {
                    bytes
                };
                assert_eq!(read, expected[..count], "copy_to_slice");
                self.models[x].cells.drain(..count);
            }
            Some(Err(error)) => assert_eq!((error.requested, error.available), (count, len)),
            None => {}
        }
    }

    pub(super) fn compare(&self, x: usize, y: usize) {
        let (left, right) = (self.models[x].bytes(), self.models[y].bytes());
        let views = (&self.views[x], &self.views[y]);
        assert_eq!(views.0 == views.1, left == right, "eq");
        assert_eq!(views.0.cmp(views.1), left.cmp(&right), "cmp");
        assert_eq!(
            views.0.partial_cmp(views.1),
            left.partial_cmp(&right),
            "partial_cmp"
        );
        assert_eq!(hashed(views.0) == hashed(views.1), left == right, "hash");
        assert_eq!(*views.0 == right, left == right, "eq of a vector");
        assert_eq!(right.as_slice() == *views.0, left == right, "eq of a slice");
    }

    /// The same bytes in other blocks, and with one of them changed.
    pub(super) fn recut(&self, x: usize, block: u8, change: Option<u8>) {
        let mut bytes = self.models[x].bytes();
        let original = bytes.clone();
        if let Some(byte) = change.and_then(|at| bytes.get_mut(usize::from(at))) {
            *byte ^= 1;
        }
        let block = NonZero::new(u32::from(block) % 90 + 1).expect("not zero");
        let memory = FixedBlockMemory::new(block);
        let (view, other) = (
            &self.views[x],
            BytesView::copied_from_slice(&bytes, &memory),
        );
        assert_eq!(*view == other, original == bytes, "eq of blocks of {block}");
        assert_eq!(
            view.cmp(&other),
            original.cmp(&bytes),
            "cmp of blocks of {block}"
        );
        assert_eq!(
            hashed(view) == hashed(&other),
            original == bytes,
            "hash of blocks of {block}"
        );
        let is_equal = original == bytes;
        let bytes = Bytes::from(bytes);
        assert_eq!(*view == bytes, is_equal, "eq of Bytes");
    }

    pub(super) fn print(&self, x: usize) {
        let (view, bytes) = (&self.views[x], self.models[x].bytes());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(format!("{:x}", view.hex()), hex);
        assert_eq!(format!("{:X}", view.hex()), hex.to_uppercase());
        assert_eq!(view.escaped().to_string(), bytes.escape_ascii().to_string());
        assert_eq!(view.to_vec(), bytes);
        let joined: Vec<u8> = view.io_slices().flat_map(|slice| slice.to_vec()).collect();
        assert_eq!(joined, bytes);
        assert!(format!("{view:?}").contains(&bytes.len().to_string()));
    }
}

/// Every call of a hasher, with its arguments: stricter than any hash.
#[derive(Default)]
struct Recorder(Vec<Vec<u8>>);

impl Hasher for Recorder {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.push(bytes.to_vec());
    }
}

fn hashed(view: &BytesView) -> Vec<Vec<u8>> {
    let mut recorder = Recorder::default();
    view.hash(&mut recorder);
    recorder.0
}

/// Takes a number off the front, or not. Returns its size in bytes if it did.
pub(super) fn get_number(view: &mut BytesView, content: &[u8], kind: u8) -> usize {
    macro_rules! get {
        ($($n:literal: $T:ty, $get:ident, $try_get:ident, $generic:ident, $try_generic:ident, $from:ident;)*) => {
            match kind % 12 {
                $($n => {
                    let expected = content.first_chunk().map(|bytes| <$T>::$from(*bytes));
                    let panic = expected.is_none().then_some(READ);
                    let checked = || Err((size_of::<$T>(), content.len()));
                    let number = match kind / 12 % 4 {
                        0 => call(panic, || view.$get()),
                        1 => call(panic, || view.$generic::<$T>()),
                        2 => view.$try_get().map_err(|error| {
                            assert_eq!(Err::<(), _>((error.requested, error.available)), checked());
                        }).ok(),
                        _ => view.$try_generic::<$T>().map_err(|error| {
                            assert_eq!(Err::<(), _>((error.requested, error.available)), checked());
                        }).ok(),
                    };
                    assert_eq!(number.map(<$T>::to_ne_bytes), expected.map(<$T>::to_ne_bytes), "number");
                    number.map_or(0, |_| size_of::<$T>())
                })*
                _ => unreachable!("less than 12"),
            }
        };
    }
    get! {
        0: u16, get_u16_le, try_get_u16_le, get_num_le, try_get_num_le, from_le_bytes;
        1: i16, get_i16_be, try_get_i16_be, get_num_be, try_get_num_be, from_be_bytes;
        2: u32, get_u32_be, try_get_u32_be, get_num_be, try_get_num_be, from_be_bytes;
        3: i32, get_i32_ne, try_get_i32_ne, get_num_ne, try_get_num_ne, from_ne_bytes;
        4: u64, get_u64_le, try_get_u64_le, get_num_le, try_get_num_le, from_le_bytes;
        5: i64, get_i64_be, try_get_i64_be, get_num_be, try_get_num_be, from_be_bytes;
        6: u128, get_u128_ne, try_get_u128_ne, get_num_ne, try_get_num_ne, from_ne_bytes;
        7: i128, get_i128_le, try_get_i128_le, get_num_le, try_get_num_le, from_le_bytes;
        8: f32, get_f32_be, try_get_f32_be, get_num_be, try_get_num_be, from_be_bytes;
        9: f64, get_f64_le, try_get_f64_le, get_num_le, try_get_num_le, from_le_bytes;
        10: u128, get_u128_be, try_get_u128_be, get_num_be, try_get_num_be, from_be_bytes;
        11: u64, get_u64_ne, try_get_u64_ne, get_num_ne, try_get_num_ne, from_ne_bytes;
    }
}
