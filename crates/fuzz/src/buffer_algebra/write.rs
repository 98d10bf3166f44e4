//! Reserving, and the longer ways of writing.
#![expect(unsafe_code, reason = "writes to unfilled slices, and says so")]

use std::io::Write;

use bytesbuf::BytesBuf;
use bytesbuf::mem::Memory;

use crate::amount::{Amount, content};
use crate::attempt::call;
use crate::memory::{CANNOT, Memories, Refusal, Source};
use crate::model_buf::ModelBuf;

/// Room above this number of bytes is not added to.
const ROOMY: usize = 12_000;

pub(super) fn reserve(
    buf: &mut BytesBuf,
    model: &mut ModelBuf,
    memories: &Memories,
    source: Source,
    amount: Amount,
    checked: bool,
) {
    let remaining = model.remaining();
    if remaining > ROOMY {
        return;
    }
    let wanted = Memories::askable(source, amount.of(remaining), remaining);
    let missing = wanted.saturating_sub(remaining);
    let overflows = model.capacity().checked_add(missing).is_none();
    let forecast = match missing {
        0 => Ok(Vec::new()),
        _ if overflows => Err(Refusal::TooLarge),
        _ => memories.forecast(source, missing),
    };
    let memory = memories.get(source);
    if checked {
        match (&forecast, buf.try_reserve(wanted, &memory)) {
            (Ok(_), outcome) => outcome.expect("it has room"),
            (Err(refusal), outcome) => refusal.check(&outcome.expect_err("it has no room")),
        }
    } else {
        let text = if overflows {
            "capacity would exceed"
        } else {
            CANNOT
        };
        let panic = forecast.is_err().then_some(text);
        call(panic, || buf.reserve(wanted, &memory));
    }
    model.rooms.extend(forecast.into_iter().flatten());
}

pub(super) fn put_number(buf: &mut BytesBuf, model: &mut ModelBuf, kind: u8, bits: u128) {
    macro_rules! put {
        ($($n:literal: $T:ty, $value:expr, $put:ident, $generic:ident, $to:ident;)*) => {
            match kind % 12 {
                $($n => {
                    let value: $T = $value;
                    let bytes = value.$to();
                    let generic = kind >= 128;
                    let outcome = call(model.no_room(bytes.len()), || {
                        if generic { buf.$generic(value) } else { buf.$put(value) }
                    });
                    if outcome.is_some() {
                        model.fill(&bytes);
                    }
                })*
                _ => unreachable!("less than 12"),
            }
        };
    }
    put! {
        0: u16, bits as u16, put_u16_le, put_num_le, to_le_bytes;
        1: i16, bits as i16, put_i16_be, put_num_be, to_be_bytes;
        2: u32, bits as u32, put_u32_be, put_num_be, to_be_bytes;
        3: i32, bits as i32, put_i32_ne, put_num_ne, to_ne_bytes;
        4: u64, bits as u64, put_u64_le, put_num_le, to_le_bytes;
        5: i64, bits as i64, put_i64_be, put_num_be, to_be_bytes;
        6: u128, bits, put_u128_ne, put_num_ne, to_ne_bytes;
        7: i128, bits as i128, put_i128_le, put_num_le, to_le_bytes;
        8: f32, f32::from_bits(bits as u32), put_f32_be, put_num_be, to_be_bytes;
        9: f64, f64::from_bits(bits as u64), put_f64_le, put_num_le, to_le_bytes;
        10: u128, bits, put_u128_be, put_num_be, to_be_bytes;
        11: u64, bits as u64, put_u64_ne, put_num_ne, to_ne_bytes;
    }
}

pub(super) fn vectored(
    buf: &mut BytesBuf,
    model: &mut ModelBuf,
    max: Option<Amount>,
    commit: Amount,
    seed: u8,
) {
    let remaining = model.remaining();
    let max = max.map(|max| max.of(remaining));
    let limit = max.unwrap_or(remaining);
    let panic = (limit > remaining).then_some("attempted a vectored write");
    let Some(mut write) = call(panic, || buf.begin_vectored_write(max)) else {
        return;
    };
    let commit = commit.of(limit);
    let bytes = content(seed, commit.min(limit));
    let mut left = bytes.as_slice();
    let mut offered = 0;
    // All slices at once: they borrow the write.
    let slices: Vec<_> = write.slices_mut().map(|(slice, _)| slice).collect();
    for slice in slices {
        offered += slice.len();
        let (now, later) = left.split_at(left.len().min(slice.len()));
        for (to, from) in slice.iter_mut().zip(now) {
            to.write(*from);
        }
        left = later;
    }
    assert_eq!(offered, limit, "slices_mut");
    let panic = (commit > limit).then_some("attempted to commit");
    // SAFETY: the first `limit` bytes at most have been initialised, and it panics if
    // that is not enough.
    if call(panic, || unsafe { write.commit(commit) }).is_some() {
        model.fill(&bytes);
    }
}

/// Through a writer, whose growth is documented.
pub(super) fn write(
    buf: &mut BytesBuf,
    model: &mut ModelBuf,
    memories: &Memories,
    source: Source,
    slices: &[&[u8]],
    write: impl FnOnce(&mut dyn Write, &[&[u8]]) -> std::io::Result<usize>,
) {
    // A writer asks for 64 KiB unless the buffer is empty: not of sources that give that.
    let source = match source {
        Source::Limited | Source::Arena | Source::Refusing | Source::Charged => source,
        _ if model.capacity() == 0 => Source::Transparent,
        _ => Source::Refusing,
    };
    let (len, remaining) = (slices.concat().len(), model.remaining());
    let wanted = if model.capacity() == 0 && len <= 4096 {
        4096
    } else {
        len.max(65_536)
    };
    let forecast = if len <= remaining {
        Ok(Vec::new())
    } else {
        memories.forecast(source, wanted - remaining)
    };
    let memory: Box<dyn Memory> = memories.get(source);
    let mut writer = std::mem::take(buf).into_writer(&memory);
    match (forecast, write(&mut writer, slices)) {
        (Ok(rooms), outcome) => {
            assert_eq!(outcome.expect("it has room"), len);
            model.rooms.extend(rooms);
            model.fill(&slices.concat());
        }
        (Err(_), outcome) => {
            let error = outcome.expect_err("it has no room");
            assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
        }
    }
    *buf = writer.into_inner();
}
