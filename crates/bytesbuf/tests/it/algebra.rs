//! Random operations on buffers and views against `Vec<u8>`, with a provider that
//! must have every block back at the end. Runs under miri.

use bytesbuf::{BytesBuf, BytesView};

use crate::counting::Counting;

/// A small generator of numbers (xorshift, Marsaglia 2003): reproducible by seed.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

fn check(view: &BytesView, model: &[u8], seed: u64, step: usize) {
    let context = || format!("seed {seed}, step {step}");
    assert_eq!(view.len(), model.len(), "{}", context());
    assert_eq!(view.to_vec(), model, "{}", context());
    assert!(
        view.slices().all(|(slice, _)| !slice.is_empty()),
        "{}",
        context()
    );
    assert_eq!(view.is_empty(), model.is_empty(), "{}", context());
}

/// Views: each step changes one of a few views and its model in the same way.
fn views(seed: u64, memory: &Counting, steps: usize) {
    let mut rng = Rng(seed);
    let mut views: Vec<(BytesView, Vec<u8>)> = Vec::new();
    for step in 0..steps {
        let fresh = rng.below(views.len() + 3);
        if fresh >= views.len() {
            let bytes: Vec<u8> = (0..rng.below(12)).map(|i| (step * 7 + i) as u8).collect();
            let view = match rng.below(3) {
                0 => BytesView::from(bytes.clone()),
                _ => BytesView::copied_from_slice(&bytes, memory),
            };
            views.push((view, bytes));
            continue;
        }
        let (mut view, mut model) = views.swap_remove(fresh);
        let at = rng.below(model.len() + 1);
        match rng.below(9) {
            0 => views.push((view.clone(), model.clone())),
            1 => {
                view.advance(at);
                model.drain(..at);
            }
            2 => view.truncate_checked(&mut model, at),
            3 => {
                let front = view.split_to(at);
                views.push((front, model.drain(..at).collect()));
            }
            4 => views.push((view.split_off(at), model.split_off(at))),
            5 => {
                let end = at + rng.below(model.len() - at + 1);
                views.push((view.range(at..end), model[at..end].to_vec()));
            }
            6 => {
                if let Some((other, bytes)) = views.pop() {
                    view.append(other);
                    model.extend(bytes);
                }
            }
            7 => {
                let mut bytes = vec![0; at];
                view.copy_to_slice(&mut bytes);
                assert_eq!(bytes, model.drain(..at).collect::<Vec<_>>());
            }
            _ => {
                let twin = view.clone();
                assert_eq!(twin, view);
                assert_eq!(twin.cmp(&view), std::cmp::Ordering::Equal);
            }
        }
        check(&view, &model, seed, step);
        if let Some((view, model)) = views.last() {
            check(view, model, seed, step);
        }
        views.push((view, model));
        if views.len() > 6 {
            views.swap_remove(rng.below(7));
        }
    }
}

trait TruncateBoth {
    fn truncate_checked(&mut self, model: &mut Vec<u8>, len: usize);
}

impl TruncateBoth for BytesView {
    fn truncate_checked(&mut self, model: &mut Vec<u8>, len: usize) {
        self.truncate(len);
        model.truncate(len);
    }
}

/// Buffers: a queue of bytes, whatever the blocks.
fn buffers(seed: u64, memory: &Counting, steps: usize) {
    let mut rng = Rng(seed);
    let (mut buf, mut model) = (BytesBuf::new(), Vec::new());
    let mut kept = Vec::new();
    let mut spare = BytesBuf::new();
    for step in 0..steps {
        let room = rng.below(buf.remaining_capacity() + 1);
        let before = (buf.len(), buf.remaining_capacity());
        match rng.below(10) {
            0 => buf.reserve(rng.below(40), memory),
            1 => {
                let bytes: Vec<u8> = (0..room).map(|i| (step * 3 + i) as u8).collect();
                buf.put_slice(bytes.as_slice());
                model.extend(bytes);
            }
            2 => {
                buf.put_byte_repeated(step as u8, room);
                model.extend(std::iter::repeat_n(step as u8, room));
            }
            3 if buf.remaining_capacity() >= 4 => {
                buf.put_u32_le(step as u32);
                model.extend((step as u32).to_le_bytes());
            }
            4 => {
                let view = BytesView::copied_from_slice(b"inserted", memory);
                buf.put_bytes(view);
                model.extend(b"inserted");
                assert_eq!(buf.remaining_capacity(), before.1);
            }
            5 | 6 => {
                let count = rng.below(model.len() + 1);
                let view = buf.consume(count);
                let expected: Vec<u8> = model.drain(..count).collect();
                check(&view, &expected, seed, step);
                kept.push((view, expected));
                assert_eq!(buf.remaining_capacity(), before.1);
            }
            7 => {
                let split = buf.split_off_remaining(room);
                assert_eq!(split.remaining_capacity(), room);
                assert!(split.is_empty());
                assert_eq!(buf.remaining_capacity(), before.1 - room);
                spare = split;
            }
            8 => {
                let count = rng.below(spare.remaining_capacity() + 1);
                spare.put_byte_repeated(0xEE, count);
            }
            _ => {
                check(&buf.peek(), &model, seed, step);
                if kept.len() > 3 {
                    kept.swap_remove(rng.below(4));
                }
            }
        }
        assert_eq!(buf.len(), model.len(), "seed {seed}, step {step}");
        assert_eq!(buf.capacity(), buf.len() + buf.remaining_capacity());
        assert_eq!(
            buf.first_unfilled_slice().is_empty(),
            buf.remaining_capacity() == 0,
            "seed {seed}, step {step}"
        );
    }
    // Nothing that was shared has been written again since.
    for (view, expected) in &kept {
        check(view, expected, seed, steps);
    }
    let rest = buf.consume_all();
    check(&rest, &model, seed, steps);
}

fn run(scenario: fn(u64, &Counting, usize)) {
    let seeds = if cfg!(miri) { 2 } else { 200 };
    let steps = if cfg!(miri) { 60 } else { 300 };
    for seed in 1..=seeds {
        for memory in [1, 3, 7, 64].into_iter().flat_map(Counting::both) {
            scenario(
                u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15),
                &memory,
                steps,
            );
            assert_eq!(memory.out(), 0, "every block is back, seed {seed}");
        }
    }
}

#[test]
fn views_behave_like_vectors() {
    run(views);
}

#[test]
fn buffers_behave_like_queues() {
    run(buffers);
}
