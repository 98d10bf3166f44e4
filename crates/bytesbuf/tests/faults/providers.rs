//! Memories that break their contract, safely: too little, too much, data in the
//! answer, odd addresses, one answer for all. What they do is refused or harmless.

use std::mem::MaybeUninit;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Mutex;

use bytesbuf::mem::testing::TransparentMemory;
use bytesbuf::mem::{
    Block, BlockProvider, BlockRef, BlockRefCounted, BlockRefVTable, Budget, BudgetedMemory,
    CallbackMemory, Memory, OpaqueMemory, ProviderMemory, RefCount, ReserveError,
};
use bytesbuf::{BytesBuf, BytesView};

use crate::states::{BUFFERS, memory};

fn exactly(bytes: usize) -> BytesBuf {
    TransparentMemory::new().reserve(bytes)
}

type Answer = fn(usize) -> BytesBuf;

/// What a provider must not answer to a request for 12 bytes.
const WRONG: [(&str, Answer); 7] = [
    ("nothing", |_| BytesBuf::new()),
    ("a byte too little", |bytes| exactly(bytes - 1)),
    ("capacity after data", |bytes| {
        let mut buf = exactly(bytes + 4);
        buf.put_slice(*b"data");
        buf
    }),
    ("data instead of capacity", |bytes| {
        let mut buf = exactly(bytes);
        buf.put_byte_repeated(b'x', bytes);
        buf
    }),
    ("a view instead of capacity", |bytes| {
        BytesBuf::from(BytesView::from(vec![b'x'; bytes]))
    }),
    ("a view and capacity", |bytes| {
        let mut buf = exactly(bytes);
        buf.put_bytes(BytesView::from_static(b"x"));
        buf
    }),
    ("data in the last of many blocks", |bytes| {
        let mut buf = memory().reserve(bytes);
        let room = buf.remaining_capacity();
        buf.put_byte_repeated(b'x', room);
        buf
    }),
];

fn is_broken<T>(result: Result<T, ReserveError>) -> bool {
    matches!(
        result,
        Err(ReserveError::BrokenProvider { requested: 12, .. })
    )
}

#[test]
fn a_wrong_answer_is_refused_by_every_door_and_changes_nothing() {
    for (name, answer) in WRONG {
        let wrong = CallbackMemory::new(answer);
        assert!(is_broken(Memory::try_reserve(&wrong, 12)), "{name}");
        assert!(
            is_broken(OpaqueMemory::new(wrong.clone()).try_reserve(12)),
            "{name}"
        );
        assert!(
            is_broken((&&wrong as &dyn Memory).try_reserve(12)),
            "{name}"
        );
        assert!(
            is_broken(Memory::try_reserve(&Box::new(wrong.clone()), 12)),
            "{name}"
        );
        let budget = Budget::new(1000);
        let budgeted = BudgetedMemory::new(wrong.clone(), &budget);
        assert!(is_broken(budgeted.try_reserve(12)), "{name}");
        assert_eq!(budget.in_use(), 0, "{name}");

        let mut view = BytesView::from(vec![7; 12]);
        assert!(is_broken(view.try_detach(&wrong)), "{name}");
        let rule = |_| true;
        let weighed = view.range(..).try_detach_if(&wrong, rule);
        assert!(!matches!(weighed, Ok(true)), "{name}");
        assert_eq!(view, [7; 12], "{name}");
        for (state, make) in BUFFERS {
            let mut buf = make(&memory());
            let missing = buf.remaining_capacity() + 12;
            let before = (buf.peek(), buf.remaining_capacity());
            let answer = CallbackMemory::new(move |bytes| {
                assert_eq!(bytes, 12, "asked for the difference");
                wrong_answer(answer, bytes)
            });
            assert!(
                is_broken(buf.try_reserve(missing, &answer)),
                "{name}, {state}"
            );
            let outcome = catch_unwind(AssertUnwindSafe(|| buf.reserve(missing, &answer)));
            assert!(outcome.is_err(), "{name}, {state}");
            assert_eq!(
                (buf.peek(), buf.remaining_capacity()),
                before,
                "{name}, {state}"
            );
            buf.reserve(missing, &TransparentMemory::new());
            buf.put_byte_repeated(1, missing);
            assert_eq!(buf.consume(before.0.len()), before.0, "{name}, {state}");
            assert_eq!(buf.consume_all(), vec![1; missing], "{name}, {state}");
        }
    }
}

fn wrong_answer(answer: Answer, bytes: usize) -> BytesBuf {
    answer(bytes)
}

/// More than was asked for is right, and used.
#[test]
fn too_much_is_taken() {
    let generous = CallbackMemory::new(|bytes| exactly(bytes * 3 + 5));
    for (state, make) in BUFFERS {
        let mut buf = make(&memory());
        let before = (buf.peek(), buf.remaining_capacity());
        buf.reserve(before.1 + 10, &generous);
        assert_eq!(buf.remaining_capacity(), before.1 + 35, "{state}");
        buf.put_byte_repeated(1, before.1 + 35);
        assert_eq!(buf.consume(before.0.len()), before.0, "{state}");
        assert_eq!(buf.consume_all(), vec![1; before.1 + 35], "{state}");
    }
    // Asked for nothing, something is right as well.
    assert_eq!(Memory::try_reserve(&generous, 0).unwrap().capacity(), 5);
}

/// A capacity that was consumed from or split before it is handed over.
#[test]
fn used_capacity_is_as_good_as_new() {
    let used = CallbackMemory::new(|bytes| {
        let mut buf = memory().reserve(bytes + 30);
        buf.put_byte_repeated(b'x', 13);
        buf.clear();
        drop(buf.split_off_remaining(buf.remaining_capacity() - bytes));
        buf
    });
    for (state, make) in BUFFERS {
        let mut buf = make(&memory());
        let before = (buf.peek(), buf.remaining_capacity());
        buf.reserve(before.1 + 10, &used);
        buf.put_byte_repeated(1, before.1 + 10);
        assert_eq!(buf.consume(before.0.len()), before.0, "{state}");
        assert_eq!(buf.consume_all(), vec![1; before.1 + 10], "{state}");
    }
}

/// A memory may use up what it has. The second request goes to another.
#[test]
fn a_memory_that_gives_once() {
    let once = Mutex::new(Some(exactly(10)));
    let memory = CallbackMemory::new(move |_| once.lock().unwrap().take().unwrap_or_default());
    let mut buf = BytesBuf::new();
    buf.reserve(10, &memory);
    buf.try_reserve(11, &memory).unwrap_err();
    buf.put_slice(*b"0123456789");
    assert_eq!(buf.consume_all(), b"0123456789");
}

/// Blocks of 7 bytes at odd addresses, next to each other in one state.
#[repr(C)]
struct Odd {
    count: RefCount,
    memory: [MaybeUninit<u8>; 8],
}

const ODD: BlockRefVTable<Odd> = BlockRefVTable::from_counted();

// SAFETY: repr(C) with the count first; the box lives until `release`.
unsafe impl BlockRefCounted for Odd {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Box::leak`; the last reference is gone.
        drop(unsafe { Box::from_raw(state_ptr.as_ptr()) });
    }
}

#[derive(Debug)]
struct OddProvider;

impl BlockProvider for OddProvider {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        for _ in 0..min_bytes.div_ceil(7) {
            let state = NonNull::from(Box::leak(Box::new(Odd {
                count: RefCount::new(1),
                memory: [MaybeUninit::uninit(); 8],
            })));
            // SAFETY: the state is alive.
            let memory = unsafe { &raw mut (*state.as_ptr()).memory };
            // SAFETY: the second of eight bytes.
            let odd = unsafe { memory.cast::<MaybeUninit<u8>>().add(1) };
            assert_eq!(odd.addr() % 2, 1);
            // SAFETY: the count of one is the reference made here.
            let block_ref = unsafe { BlockRef::new_counted(state, &ODD) };
            let odd = NonNull::new(odd).unwrap();
            // SAFETY: the last seven bytes, which nobody else touches.
            sink(unsafe { Block::new(odd, NonZero::new(7).unwrap(), block_ref) });
        }
        Ok(())
    }
}

/// An alignment that nobody has promised is not relied on.
#[test]
fn blocks_at_odd_addresses() {
    let memory = ProviderMemory::new(OddProvider);
    let mut buf = memory.reserve(70);
    assert_eq!(buf.first_unfilled_slice().as_ptr().addr() % 2, 1);
    for number in 0..4_u64 {
        buf.put_u64_le(number.wrapping_mul(0x0102_0304_0506_0708));
        buf.put_num_be(number as u32);
        buf.put_f32_le(1.5);
    }
    let mut write = buf.begin_vectored_write(Some(3));
    for (slice, _) in write.slices_mut() {
        slice.fill(MaybeUninit::new(b'v'));
    }
    // SAFETY: all three bytes are written.
    unsafe { write.commit(3) };
    let mut view = buf.consume_all();
    for number in 0..4_u64 {
        assert_eq!(
            view.get_u64_le(),
            number.wrapping_mul(0x0102_0304_0506_0708)
        );
        assert_eq!(view.get_num_be::<u32>(), number as u32);
        assert_eq!(view.get_f32_le(), 1.5);
    }
    assert_eq!(view, b"vvv");
}
