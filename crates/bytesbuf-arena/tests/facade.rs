//! The arena, which knows `bytesbuf-core` only, as memory of the facade.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use bytesbuf::mem::{Memory, OpaqueMemory, ProviderMemory, ReserveError};
use bytesbuf::{BytesBuf, BytesView};
use bytesbuf_arena::{Arena, SlotMeta};

const ID: u32 = 42;

fn arena(slots: u32, slot_len: u32) -> Arena {
    let (slots, slot_len) = (
        NonZero::new(slots).unwrap(),
        NonZero::new(slot_len).unwrap(),
    );
    Arena::new(ID, slots, slot_len).unwrap()
}

/// Which slots the view lies in, in order.
fn slots_of(view: &BytesView) -> Vec<u32> {
    view.slices()
        .map(|(_, meta)| {
            let meta = meta.expect("every slot has metadata");
            assert!(meta.is::<SlotMeta>() && !meta.is::<u32>());
            let meta: &SlotMeta = meta.downcast_ref().unwrap();
            assert_eq!(meta.arena(), ID);
            meta.slot()
        })
        .collect()
}

#[test]
fn reserve_write_consume_share_and_everything_is_home() {
    let arena = arena(4, 8);
    let memory = ProviderMemory::new(arena.clone());
    let mut buf = memory.reserve(20);
    assert_eq!((buf.capacity(), arena.slots_free()), (24, 1));

    let message = b"twenty bytes, 3 slot";
    buf.put_slice(message.as_slice());
    let view = buf.consume_all();
    assert_eq!(view, message);
    assert_eq!(slots_of(&view), [0, 1, 2]);
    assert_eq!(slots_of(&view.range(9..10)), [1]);
    assert_eq!(view.range(9..10).retained_bytes(), 8);

    thread::scope(|scope| {
        for start in 0..3 {
            let part = view.range(start * 5..);
            scope.spawn(move || {
                let copies = vec![part; 5];
                for copy in &copies {
                    assert_eq!(*copy, &message[start * 5..]);
                }
            });
        }
    });
    assert_eq!(arena.slots_free(), 1);

    let tail = view.range(16..);
    drop((view, buf));
    assert_eq!(arena.slots_free(), 3, "the tail keeps its own slot only");
    assert_eq!(slots_of(&tail), [2]);
    drop(tail);
    assert_eq!(arena.slots_free(), 4);
}

#[test]
fn exhaustion_is_an_error_with_numbers_and_passes() {
    let arena = arena(4, 8);
    let memory = OpaqueMemory::new(ProviderMemory::new(arena.clone()));
    let first = memory.reserve(17);

    let error = memory.try_reserve(9).unwrap_err();
    assert!(matches!(
        error,
        ReserveError::OverBudget {
            requested: 16,
            in_use: 24,
            limit: 32
        }
    ));
    let error = memory.try_reserve(33).unwrap_err();
    assert!(matches!(
        error,
        ReserveError::TooLarge {
            requested: 33,
            max: 32
        }
    ));
    let error = memory.try_reserve(usize::MAX).unwrap_err();
    assert!(matches!(error, ReserveError::TooLarge { .. }));
    assert!(catch_unwind(AssertUnwindSafe(|| memory.reserve(9))).is_err());
    assert_eq!(arena.slots_free(), 1);

    drop(first);
    assert_eq!(memory.try_reserve(32).unwrap().capacity(), 32);
    assert_eq!(arena.slots_free(), 4);
}

#[test]
fn a_refused_reservation_leaves_the_buffer_usable() {
    let arena = arena(2, 8);
    let memory = ProviderMemory::new(&arena);
    let mut buf = memory.reserve(8);
    buf.put_slice(*b"abc");
    buf.try_reserve(100, &memory).unwrap_err();
    buf.put_slice(*b"de");
    buf.try_reserve(11, &memory).unwrap();
    assert_eq!(
        (buf.consume_all(), arena.slots_free()),
        (BytesView::from(b"abcde".to_vec()), 0)
    );
    drop(buf);
    assert_eq!(arena.slots_free(), 2);
}

#[test]
fn views_outlive_every_handle_of_the_arena() {
    let memory = ProviderMemory::new(arena(2, 4));
    let mut buf = memory.reserve(8);
    buf.put_slice(*b"outlives");
    let view = buf.consume_all();
    drop((memory, buf));
    thread::spawn(move || assert_eq!(view, b"outlives"))
        .join()
        .unwrap();
}

#[test]
fn slots_are_lent_again_on_other_threads_with_fresh_content() {
    let arena = arena(2, 8);
    let rounds: u64 = if cfg!(miri) { 3 } else { 200 };
    thread::scope(|scope| {
        for thread in 0..2_u64 {
            let memory = ProviderMemory::new(arena.clone());
            scope.spawn(move || {
                for round in 0..rounds {
                    let value = thread << 32 | round;
                    let mut buf: BytesBuf = memory.reserve(8);
                    buf.put_slice(value.to_le_bytes());
                    let mut view = buf.consume_all();
                    let copy = view.clone();
                    let mut seen = [0; 8];
                    view.copy_to_slice(&mut seen);
                    assert_eq!(u64::from_le_bytes(seen), value);
                    drop((buf, view));
                    assert_eq!(slots_of(&copy).len(), 1);
                }
            });
        }
    });
    assert_eq!(arena.slots_free(), arena.slots());
}

#[test]
fn the_trait_object_works_too() {
    let arena = arena(1, 16);
    let memory: &dyn Memory = &ProviderMemory::new(&arena);
    assert_eq!(memory.reserve(1).capacity(), 16);
}
