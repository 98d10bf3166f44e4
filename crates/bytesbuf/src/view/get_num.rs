//! Reading numbers off the front.
#![expect(
    unsafe_code,
    reason = "an array of bytes as the associated type that it is"
)]

use num_traits::FromBytes;

use super::BytesView;
use crate::error::{NotEnoughBytes, panics};

/// `array` as a `B`, if that is the same type.
///
/// The generic readers get their bytes in a `T::Bytes`. The traits that a
/// `T::Bytes` implements say nothing about how it may be made: a `Vec<u8>`, or a
/// struct with rules of its own, has them too. So a value is made only of a type
/// that *is* an array of bytes.
#[inline]
fn same_type<const N: usize, B>(array: [u8; N]) -> Option<B> {
    // An array of bytes has no lifetime in it, so equal ids mean equal types.
    if typeid::of::<B>() != typeid::of::<[u8; N]>() {
        return None;
    }
    // SAFETY: `B` is `[u8; N]`, which is `Copy`.
    Some(unsafe { core::mem::transmute_copy(&array) })
}

/// The bytes of one `T`, off the front of `view`.
#[inline]
fn take_bytes<T: FromBytes>(view: &mut BytesView) -> Result<T::Bytes, NotEnoughBytes>
where
    T::Bytes: Sized,
{
    macro_rules! by_size {
        ($($n:literal)*) => {
            match size_of::<T::Bytes>() {
                $($n => {
                    if let Some(none) = same_type::<$n, T::Bytes>([0; $n]) {
                        let _: T::Bytes = none;
                        if let Some(bytes) = same_type(view.take_array::<$n>()?) {
                            return Ok(bytes);
                        }
                    }
                })*
                _ => {}
            }
        };
    }
    by_size!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 20 24 28 32 48 64);
    unsupported(size_of::<T::Bytes>())
}

#[cold]
#[inline(never)]
fn unsupported(size: usize) -> ! {
    panic!(
        "a number's byte representation must be an array of 1 to 16, 20, 24, 28, 32, 48 or 64 \
         bytes, not another type of {size} bytes"
    )
}

macro_rules! generic {
    ($($get:ident $try_get:ident $from:ident $order:literal;)*) => {
        impl BytesView {
            $(
                #[doc = concat!("Takes a number in ", $order, " byte order. May straddle slices.")]
                ///
                /// # Panics
                /// If fewer bytes are left than the number takes (nothing is consumed
                /// then), or if `T::Bytes` is not an array of 1 to 16, 20, 24, 28, 32,
                /// 48 or 64 bytes.
                #[inline]
                #[track_caller]
                pub fn $get<T: FromBytes>(&mut self) -> T
                where
                    T::Bytes: Sized,
                {
                    match self.$try_get() {
                        Ok(value) => value,
                        Err(error) => panics::read_past_end(error.requested, error.available),
                    }
                }

                #[doc = concat!("Takes a number in ", $order, " byte order. May straddle slices.")]
                ///
                /// # Errors
                /// If fewer bytes are left than the number takes; nothing is consumed then.
                ///
                /// # Panics
                /// If `T::Bytes` is not an array of 1 to 16, 20, 24, 28, 32, 48 or 64
                /// bytes.
                #[inline]
                pub fn $try_get<T: FromBytes>(&mut self) -> Result<T, NotEnoughBytes>
                where
                    T::Bytes: Sized,
                {
                    take_bytes::<T>(self).map(|bytes| T::$from(&bytes))
                }
            )*
        }
    };
}

generic! {
    get_num_le try_get_num_le from_le_bytes "little-endian";
    get_num_be try_get_num_be from_be_bytes "big-endian";
    get_num_ne try_get_num_ne from_ne_bytes "the machine's";
}

macro_rules! concrete {
    ($($T:ident { $($get:ident $try_get:ident $from:ident $order:literal,)* })*) => {
        impl BytesView {
            $($(
                #[doc = concat!("Takes ", stringify!($T), " in ", $order, " byte order. May straddle slices.")]
                ///
                /// # Panics
                /// If fewer bytes are left; nothing is consumed then.
                #[inline]
                #[track_caller]
                pub fn $get(&mut self) -> $T {
                    match self.take_array() {
                        Ok(bytes) => $T::$from(bytes),
                        Err(error) => panics::read_past_end(error.requested, error.available),
                    }
                }

                #[doc = concat!("Takes ", stringify!($T), " in ", $order, " byte order. May straddle slices.")]
                ///
                /// # Errors
                /// If fewer bytes are left; nothing is consumed then.
                #[inline]
                pub fn $try_get(&mut self) -> Result<$T, NotEnoughBytes> {
                    self.take_array().map($T::$from)
                }
            )*)*
        }
    };
}

concrete! {
    u16 {
        get_u16_le try_get_u16_le from_le_bytes "little-endian",
        get_u16_be try_get_u16_be from_be_bytes "big-endian",
        get_u16_ne try_get_u16_ne from_ne_bytes "the machine's",
    }
    i16 {
        get_i16_le try_get_i16_le from_le_bytes "little-endian",
        get_i16_be try_get_i16_be from_be_bytes "big-endian",
        get_i16_ne try_get_i16_ne from_ne_bytes "the machine's",
    }
    u32 {
        get_u32_le try_get_u32_le from_le_bytes "little-endian",
        get_u32_be try_get_u32_be from_be_bytes "big-endian",
        get_u32_ne try_get_u32_ne from_ne_bytes "the machine's",
    }
    i32 {
        get_i32_le try_get_i32_le from_le_bytes "little-endian",
        get_i32_be try_get_i32_be from_be_bytes "big-endian",
        get_i32_ne try_get_i32_ne from_ne_bytes "the machine's",
    }
    u64 {
        get_u64_le try_get_u64_le from_le_bytes "little-endian",
        get_u64_be try_get_u64_be from_be_bytes "big-endian",
        get_u64_ne try_get_u64_ne from_ne_bytes "the machine's",
    }
    i64 {
        get_i64_le try_get_i64_le from_le_bytes "little-endian",
        get_i64_be try_get_i64_be from_be_bytes "big-endian",
        get_i64_ne try_get_i64_ne from_ne_bytes "the machine's",
    }
    u128 {
        get_u128_le try_get_u128_le from_le_bytes "little-endian",
        get_u128_be try_get_u128_be from_be_bytes "big-endian",
        get_u128_ne try_get_u128_ne from_ne_bytes "the machine's",
    }
    i128 {
        get_i128_le try_get_i128_le from_le_bytes "little-endian",
        get_i128_be try_get_i128_be from_be_bytes "big-endian",
        get_i128_ne try_get_i128_ne from_ne_bytes "the machine's",
    }
    f32 {
        get_f32_le try_get_f32_le from_le_bytes "little-endian",
        get_f32_be try_get_f32_be from_be_bytes "big-endian",
        get_f32_ne try_get_f32_ne from_ne_bytes "the machine's",
    }
    f64 {
        get_f64_le try_get_f64_le from_le_bytes "little-endian",
        get_f64_be try_get_f64_be from_be_bytes "big-endian",
        get_f64_ne try_get_f64_ne from_ne_bytes "the machine's",
    }
}
