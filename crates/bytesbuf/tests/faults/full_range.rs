//! Amounts from nothing to `usize::MAX`, near every border of buffers and views in
//! every state. An amount that does not fit is refused with a panic or an error, and
//! nothing has changed then; none wraps around. (In optimised code as well: profile
//! `release-checked`.)

use std::io::BufRead;
use std::mem::MaybeUninit;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytesbuf::mem::{Memory, ReserveError};
use bytesbuf::{BytesBuf, BytesView};

use crate::states::{BUFFERS, MakeBuf, MakeView, VIEWS, memory};

/// Amounts near `near`, near the ends of the types that sizes pass through, and such
/// that adding `near` to them just overflows, or just does not.
fn amounts(near: &[usize]) -> Vec<usize> {
    let mut amounts = Vec::new();
    let ends = [0, u32::MAX as usize, isize::MAX as usize, usize::MAX];
    for &end in ends.iter().chain(near) {
        amounts.extend([end.checked_sub(1), Some(end), end.checked_add(1)]);
        for &offset in near {
            amounts.push(end.checked_sub(offset));
            amounts.push(
                end.checked_sub(offset)
                    .and_then(|amount| amount.checked_add(1)),
            );
        }
    }
    let mut amounts: Vec<_> = amounts.into_iter().flatten().collect();
    amounts.sort_unstable();
    amounts.dedup();
    if cfg!(miri) {
        let mut number = 0;
        amounts.retain(|_| {
            number += 1;
            number % 25 == 1
        });
        amounts.push(usize::MAX);
    }
    amounts
}

/// What can be seen of a buffer.
fn picture(buf: &BytesBuf) -> (Vec<u8>, usize, usize, usize) {
    (
        buf.peek().to_vec(),
        buf.len(),
        buf.remaining_capacity(),
        buf.capacity(),
    )
}

/// `None` if it panics.
fn attempt<R>(action: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(action)).ok()
}

/// A memory that has none, and says so.
#[derive(Debug)]
struct Refuses;

impl Memory for Refuses {
    fn reserve(&self, _: usize) -> BytesBuf {
        panic!("has no memory")
    }

    fn try_reserve(&self, _: usize) -> Result<BytesBuf, ReserveError> {
        Err(ReserveError::Refused("has no memory"))
    }
}

#[track_caller]
fn buffer_op(
    make: MakeBuf,
    amount: usize,
    fits: impl FnOnce(&BytesBuf) -> bool,
    op: impl FnOnce(&mut BytesBuf) -> bool,
) {
    let memory = memory();
    let mut buf = make(&memory);
    let before = picture(&buf);
    let fits = fits(&buf);
    let done = attempt(|| op(&mut buf)).unwrap_or(false);
    assert_eq!(done, fits, "{amount} on {before:?}");
    if !fits {
        assert_eq!(picture(&buf), before, "{amount} changed it");
    }
    // It goes on working.
    buf.reserve(3, &memory);
    let len = buf.len();
    buf.put_slice(*b"end");
    assert_eq!(buf.consume_all().range(len..), b"end");
    drop(buf);
    assert_eq!(memory.out(), 0, "{amount} on {before:?}");
}

#[test]
fn on_every_buffer() {
    for (_, make) in BUFFERS {
        let (_, len, remaining, capacity) = picture(&make(&memory()));
        for n in amounts(&[len, remaining, capacity, 8]) {
            let has_data = |buf: &BytesBuf| n <= buf.len();
            let has_room = |buf: &BytesBuf| n <= buf.remaining_capacity();
            buffer_op(make, n, has_data, |buf| buf.consume(n).len() == n);
            buffer_op(make, n, has_data, |buf| buf.consume_checked(n).is_some());
            buffer_op(make, n, has_room, |buf| {
                let remaining = buf.remaining_capacity();
                buf.split_off_remaining(n).remaining_capacity() == n
                    && buf.remaining_capacity() == remaining - n
            });
            buffer_op(make, n, has_room, |buf| {
                buf.split_off_remaining_checked(n).is_some()
            });
            buffer_op(make, n, has_room, |buf| {
                buf.put_byte_repeated(7, n);
                true
            });
            buffer_op(make, n, has_room, |buf| {
                let write = buf.begin_vectored_write_checked(Some(n));
                write.is_some_and(|mut write| {
                    write
                        .slices_mut()
                        .map(|(slice, _)| slice.len())
                        .sum::<usize>()
                        == n
                })
            });
            buffer_op(make, n, has_room, |buf| {
                let _ = buf.begin_vectored_write(Some(n));
                true
            });
            buffer_op(make, n, has_room, |buf| {
                buf.reserve(n, &Refuses);
                true
            });
            buffer_op(make, n, has_room, |buf| {
                buf.try_reserve(n, &Refuses).is_ok()
            });
            unsafe_op(
                make,
                n,
                |buf| buf.first_unfilled_slice().len(),
                |buf| {
                    // SAFETY: wrong if it is more than the slice, and then documented to panic
                    // before it has any effect; the slice has been written.
                    unsafe { buf.advance(n) };
                },
            );
            unsafe_op(make, n, BytesBuf::remaining_capacity_of, |buf| {
                let write = buf.begin_vectored_write(None);
                // SAFETY: as above, for all capacity.
                unsafe { write.commit(n) };
            });
        }
    }
}

trait RemainingOf {
    fn remaining_capacity_of(&mut self) -> usize;
}

impl RemainingOf for BytesBuf {
    fn remaining_capacity_of(&mut self) -> usize {
        self.remaining_capacity()
    }
}

/// An unsafe method whose limit is checked nonetheless. All capacity is written before.
#[track_caller]
fn unsafe_op(
    make: MakeBuf,
    n: usize,
    limit: impl FnOnce(&mut BytesBuf) -> usize,
    op: impl FnOnce(&mut BytesBuf),
) {
    buffer_op(
        make,
        n,
        |buf| n <= limit(&mut copy_of_limits(buf)),
        |buf| {
            let mut write = buf.begin_vectored_write(None);
            for (slice, _) in write.slices_mut() {
                slice.fill(MaybeUninit::new(9));
            }
            let len = buf.len();
            op(buf);
            buf.len() == len + n
        },
    );
}

/// A buffer with the same first unfilled slice and the same remaining capacity.
fn copy_of_limits(buf: &BytesBuf) -> BytesBuf {
    let remaining = buf.remaining_capacity();
    let later = remaining / 8 * 8;
    let first = if remaining % 8 == 0 { 8 } else { remaining % 8 };
    let first = first.min(remaining);
    let mut copy = memory().reserve(later + 8);
    let surplus = copy.remaining_capacity() - remaining;
    // The blocks are filled first to last, so what is cut off by writing is in front.
    copy.put_byte_repeated(0, surplus);
    assert_eq!(copy.first_unfilled_slice().len(), first);
    copy.clear();
    copy
}

/// Lengths of real slices: no more than can be made.
#[test]
fn slices_that_do_not_fit_are_refused_whole() {
    let source = [5_u8; 70];
    for (_, make) in BUFFERS {
        for n in (0..source.len()).step_by(if cfg!(miri) { 7 } else { 1 }) {
            let has_room = |buf: &BytesBuf| n <= buf.remaining_capacity();
            buffer_op(make, n, has_room, |buf| {
                buf.put_slice(&source[..n]);
                true
            });
            buffer_op(make, n, has_room, |buf| {
                buf.try_put_slice(&source[..n]).is_ok()
            });
        }
        buffer_op(
            make,
            8,
            |buf| 8 <= buf.remaining_capacity(),
            |buf| {
                buf.put_u64_le(1);
                true
            },
        );
        buffer_op(
            make,
            1,
            |buf| 1 <= buf.remaining_capacity(),
            |buf| {
                buf.put_byte(1);
                true
            },
        );
    }
}

/// `op` returns what it took off and whether that was all; `None` or a panic refuse.
#[track_caller]
fn view_op(
    make: MakeView,
    expected: impl FnOnce(&[u8]) -> Option<(Vec<u8>, Vec<u8>)>,
    op: impl FnOnce(&mut BytesView) -> Option<BytesView>,
) {
    let memory = memory();
    let mut view = make(&memory);
    let model = view.to_vec();
    let expected = expected(&model);
    let taken = attempt(|| op(&mut view)).flatten();
    match (taken, expected) {
        (Some(taken), Some((first, rest))) => {
            assert_eq!(taken, first, "of {model:?}");
            assert_eq!(view, rest, "of {model:?}");
        }
        (None, None) => assert_eq!(view, model, "a refusal changed it"),
        (taken, expected) => panic!("{taken:?} instead of {expected:?} of {model:?}"),
    }
    assert!(view.slices().all(|(slice, _)| !slice.is_empty()));
    drop(view);
    assert_eq!(memory.out(), 0);
}

#[test]
fn on_every_view() {
    for (_, make) in VIEWS {
        let len = make(&memory()).len();
        for n in amounts(&[len, len / 2, 8]) {
            let front = |model: &[u8]| {
                (n <= model.len()).then(|| (model[..n].to_vec(), model[n..].to_vec()))
            };
            let back = |model: &[u8]| {
                (n <= model.len()).then(|| (model[n..].to_vec(), model[..n].to_vec()))
            };
            let gone = |model: &[u8]| (n <= model.len()).then(|| (vec![], model[n..].to_vec()));
            view_op(make, front, |view| Some(view.split_to(n)));
            view_op(make, back, |view| Some(view.split_off(n)));
            view_op(make, gone, |view| {
                view.advance(n);
                Some(BytesView::new())
            });
            view_op(make, gone, |view| {
                view.consume(n);
                Some(BytesView::new())
            });
            // Never refused.
            let cut = |model: &[u8]| Some((vec![], model[..n.min(model.len())].to_vec()));
            view_op(make, cut, |view| {
                view.truncate(n);
                Some(BytesView::new())
            });
        }
        for n in 0..=len + 9 {
            let front = |model: &[u8]| {
                (n <= model.len()).then(|| (model[..n].to_vec(), model[n..].to_vec()))
            };
            view_op(make, front, |view| {
                let mut bytes = vec![0; n];
                view.copy_to_slice(&mut bytes);
                Some(bytes.into())
            });
            view_op(make, front, |view| {
                let mut bytes = vec![0; n];
                view.try_copy_to_slice(&mut bytes).ok()?;
                Some(bytes.into())
            });
        }
    }
}

#[test]
fn ranges_are_those_of_slices() {
    for (_, make) in VIEWS {
        let memory = memory();
        let view = make(&memory);
        let model = view.to_vec();
        let amounts = amounts(&[model.len(), 8]);
        let bounds: Vec<_> = amounts
            .iter()
            .flat_map(|&n| [Bound::Included(n), Bound::Excluded(n)])
            .chain([Bound::Unbounded])
            .collect();
        for &start in &bounds {
            for &end in &bounds {
                let expected = model.get((start, end));
                let checked = view.range_checked((start, end));
                match (&checked, expected) {
                    (Some(part), Some(expected)) => assert_eq!(part, expected),
                    (None, None) => {}
                    _ => panic!("{start:?}, {end:?}: {checked:?} of {model:?}"),
                }
            }
            // The panicking one has the same borders: half of the pairs suffice.
            let from_start = attempt(|| view.range((start, Bound::Unbounded)));
            let expected = model.get((start, Bound::Unbounded));
            assert_eq!(from_start.map(|part| part.to_vec()).as_deref(), expected);
        }
        assert_eq!(view, model);
    }
}
