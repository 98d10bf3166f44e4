//! Appending numbers.

use num_traits::ToBytes;

use super::BytesBuf;

macro_rules! generic {
    ($($put:ident $to:ident $order:literal;)*) => {
        impl BytesBuf {
            $(
                #[doc = concat!("Appends a number in ", $order, " byte order. May straddle blocks.")]
                ///
                /// # Panics
                /// If the number takes more than the remaining capacity; nothing is
                /// written then.
                #[inline]
                #[track_caller]
                pub fn $put<T: ToBytes>(&mut self, value: T) {
                    let bytes = value.$to();
                    if !self.put_before_end(bytes.as_ref()) {
                        // Moved, so that only this path needs it in memory.
                        let bytes = bytes;
                        self.put_or_panic(bytes.as_ref());
                    }
                }
            )*
        }
    };
}

generic! {
    put_num_le to_le_bytes "little-endian";
    put_num_be to_be_bytes "big-endian";
    put_num_ne to_ne_bytes "the machine's";
}

macro_rules! concrete {
    ($($T:ident { $($put:ident $to:ident $order:literal,)* })*) => {
        impl BytesBuf {
            $($(
                #[doc = concat!("Appends ", stringify!($T), " in ", $order, " byte order. May straddle blocks.")]
                ///
                /// # Panics
                /// If it takes more than the remaining capacity; nothing is written
                /// then.
                #[inline]
                #[track_caller]
                pub fn $put(&mut self, value: $T) {
                    self.put_array(value.$to());
                }
            )*)*
        }
    };
}

concrete! {
    u16 {
        put_u16_le to_le_bytes "little-endian",
        put_u16_be to_be_bytes "big-endian",
        put_u16_ne to_ne_bytes "the machine's",
    }
    i16 {
        put_i16_le to_le_bytes "little-endian",
        put_i16_be to_be_bytes "big-endian",
        put_i16_ne to_ne_bytes "the machine's",
    }
    u32 {
        put_u32_le to_le_bytes "little-endian",
        put_u32_be to_be_bytes "big-endian",
        put_u32_ne to_ne_bytes "the machine's",
    }
    i32 {
        put_i32_le to_le_bytes "little-endian",
        put_i32_be to_be_bytes "big-endian",
        put_i32_ne to_ne_bytes "the machine's",
    }
    u64 {
        put_u64_le to_le_bytes "little-endian",
        put_u64_be to_be_bytes "big-endian",
        put_u64_ne to_ne_bytes "the machine's",
    }
    i64 {
        put_i64_le to_le_bytes "little-endian",
        put_i64_be to_be_bytes "big-endian",
        put_i64_ne to_ne_bytes "the machine's",
    }
    u128 {
        put_u128_le to_le_bytes "little-endian",
        put_u128_be to_be_bytes "big-endian",
        put_u128_ne to_ne_bytes "the machine's",
    }
    i128 {
        put_i128_le to_le_bytes "little-endian",
        put_i128_be to_be_bytes "big-endian",
        put_i128_ne to_ne_bytes "the machine's",
    }
    f32 {
        put_f32_le to_le_bytes "little-endian",
        put_f32_be to_be_bytes "big-endian",
        put_f32_ne to_ne_bytes "the machine's",
    }
    f64 {
        put_f64_le to_le_bytes "little-endian",
        put_f64_be to_be_bytes "big-endian",
        put_f64_ne to_ne_bytes "the machine's",
    }
}
