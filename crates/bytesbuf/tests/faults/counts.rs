//! Clones that are forgotten, over and over: the count stops before it wraps around,
//! and the process with it. Nothing is freed that is in use.

use std::mem::{self, MaybeUninit};
use std::num::NonZero;
use std::ptr::NonNull;

use bytesbuf::BytesBuf;
use bytesbuf::mem::{Block, BlockRef, BlockRefCounted, BlockRefVTable, Memory, RefCount};

use crate::counting::Counting;

/// A block whose count the test can see, and whose last release frees nothing.
#[repr(C)]
struct Watched {
    count: RefCount,
    memory: [MaybeUninit<u8>; 16],
}

const TABLE: BlockRefVTable<Watched> = BlockRefVTable::from_counted();

// SAFETY: repr(C) with the count first; the box outlives every reference.
unsafe impl BlockRefCounted for Watched {
    type State = Self;

    unsafe fn release(_: NonNull<Self>) {
        // Said by a child, which would have to end before.
        println!("released");
    }
}

/// A buffer with four bytes, in a block whose count is so far below the limit, and the
/// state of that block, which stays.
fn near_the_limit(distance: usize) -> (BytesBuf, NonNull<Watched>) {
    let state = NonNull::from(Box::leak(Box::new(Watched {
        count: RefCount::new(1),
        memory: [MaybeUninit::uninit(); 16],
    })));
    // SAFETY: leaked, so it is alive.
    let memory = unsafe { &raw mut (*state.as_ptr()).memory };
    // SAFETY: the count of one is the reference made here.
    let block_ref = unsafe { BlockRef::new_counted(state, &TABLE) };
    let memory = NonNull::new(memory.cast()).unwrap();
    // SAFETY: sixteen bytes, which nobody else touches.
    let block = unsafe { Block::new(memory, NonZero::new(16).unwrap(), block_ref) };
    let mut buf = BytesBuf::from_blocks([block]);
    buf.put_slice(*b"abcd");
    // As if so many clones had been forgotten.
    // SAFETY: leaked, so it is alive.
    let count = unsafe { &(*state.as_ptr()).count };
    count.retain(RefCount::MAX - value(count) - distance);
    (buf, state)
}

fn value(count: &RefCount) -> usize {
    let text = format!("{count:?}");
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// What a child does with the buffer, over and over.
type Loop = fn(&mut BytesBuf);

#[cfg_attr(miri, expect(dead_code, reason = "no children under miri"))]
const LOOPS: [(&str, Loop); 5] = [
    ("clones of a view", |buf| {
        let view = buf.consume(1);
        (0..2000).for_each(|_| mem::forget(view.clone()));
    }),
    ("ranges of a view", |buf| {
        let view = buf.consume(2);
        (0..2000).for_each(|_| mem::forget(view.range(1..)));
    }),
    ("guards of a view", |buf| {
        let view = buf.consume(2);
        (0..2000).for_each(|_| mem::forget(view.extend_lifetime()));
    }),
    ("guards of a buffer", |buf| {
        (0..2000).for_each(|_| mem::forget(buf.extend_lifetime()));
    }),
    ("views of a list", |buf| {
        let mut view = buf.consume(2);
        view.append(bytesbuf::BytesView::from_static(b"more"));
        // Each copy of the list has a reference to the block.
        (0..2000).for_each(|_| {
            let mut twin = view.clone();
            twin.advance(1);
            twin.append(bytesbuf::BytesView::from_static(b"end"));
            mem::forget(twin);
        });
    }),
];

#[cfg(not(miri))]
mod children {
    use super::{LOOPS, near_the_limit};
    use crate::child;

    const WHICH: &str = "BYTESBUF_TEST_LOOP";

    #[test]
    #[ignore = "aborts"]
    fn child_that_forgets() {
        let which: usize = std::env::var(WHICH).unwrap().parse().unwrap();
        let (mut buf, _) = near_the_limit(1000);
        println!("begins");
        LOOPS[which].1(&mut buf);
        println!("comes back");
    }

    #[test]
    fn forgetting_references_ends_the_process_before_the_count_wraps() {
        for (which, (name, _)) in LOOPS.iter().enumerate() {
            let variables = [(WHICH, which.to_string())];
            let ended = child::run("counts::children::child_that_forgets", &variables);
            assert!(ended.aborted && !ended.success, "{name}: {ended:?}");
            assert!(ended.stdout.contains("begins"), "{name}: {ended:?}");
            assert!(!ended.stdout.contains("comes back"), "{name}: {ended:?}");
            assert!(!ended.stdout.contains("released"), "{name}: {ended:?}");
        }
    }
}

/// Up to the limit everything goes on, and what goes below it comes back.
#[test]
fn just_below_the_limit_is_fine() {
    let (mut buf, state) = near_the_limit(100);
    let view = buf.consume(2);
    let clones: Vec<_> = (0..90).map(|_| view.clone()).collect();
    assert!(clones.iter().all(|clone| clone == b"ab"));
    drop((view, clones));
    assert_eq!(buf.consume_all(), b"cd");
    drop(buf);
    // SAFETY: a box when it was leaked; the references above are gone, and the rest of
    // its count is nobody's.
    drop(unsafe { Box::from_raw(state.as_ptr()) });
}

/// A forgotten clone keeps its block, and only that.
#[test]
#[cfg_attr(
    any(
        bytesbuf_pass_through,
        bytesbuf_sanitize = "address",
        bytesbuf_sanitize = "leak"
    ),
    ignore = "leaks on purpose, where that is looked for"
)]
fn a_forgotten_view_leaks_its_blocks_and_nothing_else() {
    // Under miri the leak would be reported.
    let forget = if cfg!(miri) { drop } else { mem::forget };
    for memory in Counting::both(8) {
        let mut buf = memory.reserve(24);
        buf.put_byte_repeated(5, 20);
        let view = buf.consume_all();
        forget(view.range(3..5));
        drop((view, buf));
        assert_eq!(memory.out(), usize::from(!cfg!(miri)));
    }
}
