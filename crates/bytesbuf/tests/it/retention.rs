//! How much a view keeps in use, and letting go of it.

mod lender;
mod model;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytesbuf::mem::{CallbackMemory, Memory, ProviderMemory, ReserveError};
use bytesbuf::{BytesBuf, BytesView, Retention};

use self::lender::{Lender, Refusing};
use crate::counting::Counting;

fn filled(memory: &impl Memory, bytes: usize) -> BytesView {
    let bytes: Vec<u8> = (0..bytes).map(|i| i as u8).collect();
    BytesView::copied_from_slice(&bytes, memory)
}

#[track_caller]
fn check(view: &BytesView, len: usize, retained: usize) {
    assert_eq!((view.len(), view.retained_bytes()), (len, retained));
}

fn always(_: Retention) -> bool {
    true
}

fn never(_: Retention) -> bool {
    panic!("there is nothing to decide")
}

fn refusing() -> ProviderMemory<Refusing> {
    ProviderMemory::new(Refusing)
}

#[test]
fn a_slice_keeps_its_whole_block() {
    for lender in Lender::both(100) {
        let view = filled(&lender.memory(), 30);
        check(&view, 30, 100);
        check(&view.range(29..), 1, 100);
        check(&view.clone(), 30, 100);
        check(&view.range(5..5), 0, 0);
    }
}

#[test]
fn blocks_that_are_no_longer_covered_do_not_count() {
    for lender in Lender::both(10) {
        let mut view = filled(&lender.memory(), 45);
        check(&view, 45, 50);
        view.advance(9);
        check(&view, 36, 50);
        let twin = view.clone();
        view.advance(1);
        check(&view, 35, 40);
        view.truncate(11);
        check(&view, 11, 20);
        check(&view.split_to(10), 10, 10);
        check(&view, 1, 10);
        check(&twin, 36, 50);
    }
}

#[test]
fn a_block_counts_once_wherever_its_slices_are() {
    for lender in Lender::both(100) {
        let (one, other) = (filled(&lender.memory(), 9), filled(&lender.memory(), 9));
        let mut view = BytesView::new();
        for i in 0..3 {
            view.append(one.range(3 * i..3 * i + 2));
            view.append(other.range(3 * i..3 * i + 2));
        }
        assert_eq!(view.slices().len(), 6);
        check(&view, 12, 200);
    }
}

/// More blocks than are remembered without allocating, each of them several times.
#[test]
fn many_blocks_count_once_too() {
    for lender in Lender::both(10) {
        let blocks: Vec<_> = (0..40).map(|_| filled(&lender.memory(), 3)).collect();
        let mut view = BytesView::new();
        for _ in 0..3 {
            for block in &blocks {
                view.append(block.range(..1));
            }
        }
        check(&view, 120, 400);
        for (count, blocks) in [
            (15, &blocks[..15]),
            (16, &blocks[..16]),
            (17, &blocks[..17]),
        ] {
            let twice = blocks.iter().chain(blocks).cloned();
            check(&BytesView::from_views(twice), 6 * count, 10 * count);
        }
    }
}

#[test]
fn providers_that_do_not_tell_count_with_what_is_covered() {
    for memory in Counting::both(100) {
        let mut view = filled(&memory, 130);
        check(&view, 130, 130);
        view.advance(99);
        check(&view, 31, 31);
        check(&view.range(..5), 5, 5);
        let [lender, _] = Lender::both(10);
        view.append(filled(&lender.memory(), 1));
        check(&view, 32, 41);
    }
}

#[test]
fn owners_count_with_their_slice() {
    let mut spare = Vec::with_capacity(1000);
    spare.extend([1; 70]);
    let mut view = BytesView::from(spare);
    check(&view, 70, 70);
    view.advance(69);
    check(&view, 1, 70);
    let shared: Arc<[u8]> = vec![1; 50].into();
    check(&BytesView::from_owner(shared).range(3..4), 1, 50);
}

#[test]
fn static_bytes_and_nothing_keep_nothing() {
    check(&BytesView::new(), 0, 0);
    let mut view = BytesView::from_static(b"static");
    check(&view, 6, 0);
    view.append(BytesView::from_static(b"too"));
    check(&view, 9, 0);
    view.append(BytesView::from(vec![1; 20]).range(..1));
    check(&view, 10, 20);
}

#[test]
fn more_bytes_than_there_are() {
    let block = BytesView::from(vec![1; 20]);
    check(&BytesView::from_views(vec![block; 5]), 100, 20);
}

#[test]
fn absurd_sizes_do_not_overflow() {
    for lender in Lender::both(10) {
        let memory = lender.telling(Some(usize::MAX)).memory();
        check(&filled(&memory, 25), 25, usize::MAX);
    }
}

#[cfg(feature = "bytes-compat")]
#[test]
fn foreign_bytes_count_with_their_slice() {
    let bytes = bytes::Bytes::from(vec![1; 50]).slice(10..30);
    check(&BytesView::from(bytes).range(..2), 2, 20);
}

#[cfg(feature = "test-util")]
#[test]
fn test_memory_tells() {
    use std::num::NonZero;

    use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};

    let fixed = FixedBlockMemory::new(NonZero::new(10).unwrap());
    check(&filled(&fixed, 25), 25, 30);
    let mut view = filled(&TransparentMemory::new(), 25).range(3..4);
    check(&view, 1, 25);
    assert!(view.detach_if(&fixed, always));
    check(&view, 1, 10);
}

#[test]
fn detaching_copies_and_lets_go() {
    for (old, new) in Lender::both(100).into_iter().zip(Lender::both(8)) {
        let mut view = filled(&old.memory(), 250).range(90..110);
        let expected = view.to_vec();
        assert_eq!(old.out(), 2);
        view.detach(&new.memory());
        assert_eq!(view, expected);
        assert_eq!((old.out(), new.out()), (0, 3));
        check(&view, 20, 24);
        view.advance(20);
        assert_eq!(new.out(), 0);
    }
}

#[test]
fn detaching_is_not_choosy() {
    let [old, new] = [Lender::counted(10), Lender::counted(1000)];
    let mut view = filled(&old.memory(), 10);
    view.detach(&new.memory());
    check(&view, 10, 1000);
    view.try_detach(&old.memory()).unwrap();
    check(&view, 10, 10);
    assert_eq!((old.out(), new.out()), (1, 0));
}

#[test]
fn clones_stay_where_they_are() {
    for lender in Lender::both(100) {
        let mut view = filled(&lender.memory(), 150);
        let twin = view.clone();
        view.detach(&Counting::new(10, true));
        assert_eq!(lender.out(), 2);
        assert_eq!(view, twin);
        drop(twin);
        assert_eq!(lender.out(), 0);
    }
}

#[test]
fn a_view_without_blocks_asks_nobody() {
    let mut view = BytesView::new();
    view.detach(&refusing());
    view.append(BytesView::from_static(b"static"));
    view.append(BytesView::from_static(b"too"));
    let at = view.first_slice().as_ptr();
    view.try_detach(&refusing()).unwrap();
    assert!(!view.detach_if(&refusing(), never));
    assert!(std::ptr::eq(at, view.first_slice().as_ptr()));
    view.append(BytesView::from(vec![1]));
    view.try_detach(&refusing()).unwrap_err();
}

#[test]
fn any_memory_will_do() {
    let memory: Box<dyn Memory> = Box::new(Counting::new(10, true));
    let mut view = BytesView::from(vec![1; 100]).range(..15);
    view.detach(&*memory);
    view.try_detach(&*memory).unwrap();
    assert!(!view.detach_if(&*memory, always));
    assert_eq!(view, [1; 15]);
}

#[track_caller]
fn check_unchanged(lender: &Lender, memory: &impl Memory, is_it: fn(&ReserveError) -> bool) {
    let mut view = filled(&lender.memory(), 25);
    view.advance(3);
    let (bytes, slices) = (view.to_vec(), view.slices().len());
    let at = view.first_slice().as_ptr();
    let error = view.try_detach(memory).unwrap_err();
    assert!(is_it(&error), "{error}");
    let error = view.try_detach_if(memory, always).unwrap_err();
    assert!(is_it(&error), "{error}");
    catch_unwind(AssertUnwindSafe(|| view.detach(memory))).unwrap_err();
    catch_unwind(AssertUnwindSafe(|| view.detach_if(memory, always))).unwrap_err();
    catch_unwind(AssertUnwindSafe(|| {
        view.detach_if(&lender.memory(), |_| panic!("undecided"))
    }))
    .unwrap_err();
    assert_eq!((view.to_vec(), view.slices().len()), (bytes, slices));
    assert!(std::ptr::eq(at, view.first_slice().as_ptr()));
    assert_eq!(lender.out(), 3);
    drop(view);
    assert_eq!(lender.out(), 0);
}

#[test]
fn a_refusal_changes_nothing() {
    for lender in Lender::both(10) {
        check_unchanged(&lender, &refusing(), |error| {
            matches!(error, ReserveError::OverBudget { requested: 22, .. })
        });
        let broken = CallbackMemory::new(|_| BytesBuf::new());
        check_unchanged(&lender, &broken, |error| {
            matches!(error, ReserveError::BrokenProvider { requested: 22, .. })
        });
    }
}

#[test]
fn a_panicking_owner_leaves_the_copy() {
    struct Owner;
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            b"owned"
        }
    }
    impl Drop for Owner {
        fn drop(&mut self) {
            panic!("never let go")
        }
    }
    let memory = Counting::new(10, true);
    let mut view = BytesView::from_owner(Owner);
    catch_unwind(AssertUnwindSafe(|| view.detach(&memory))).unwrap_err();
    assert_eq!(view, b"owned");
    assert_eq!(memory.out(), 1);
}

#[test]
fn the_rule_gets_the_figures() {
    for lender in Lender::both(100) {
        let mut view = filled(&lender.memory(), 130).range(95..105);
        let mut seen = None;
        assert!(!view.detach_if(&refusing(), |figures| {
            seen = Some((figures.len, figures.retained, figures.wasted()));
            false
        }));
        assert_eq!(seen, Some((10, 200, 190)));
        assert!(!view.try_detach_if(&refusing(), |_| false).unwrap());
        assert_eq!(lender.out(), 2);
    }
}

#[test]
fn nothing_wasted_is_nothing_to_decide() {
    for lender in Lender::both(10) {
        let mut view = filled(&lender.memory(), 20);
        assert!(!view.detach_if(&refusing(), never));
        let mut view = BytesView::from_views([view.clone(), view]);
        assert!(!view.detach_if(&refusing(), never), "40 bytes of 20");
    }
    let mut silent = filled(&Counting::new(100, true), 1);
    assert!(!silent.detach_if(&refusing(), never));
}

/// `ten` bytes of a block of 100, detached into what `memory` gives.
#[track_caller]
fn check_gain(memory: &impl Memory, detached: bool, retained: usize) {
    for lender in Lender::both(100) {
        let mut view = filled(&lender.memory(), 50).range(20..30);
        let expected = view.to_vec();
        assert_eq!(view.detach_if(memory, always), detached);
        assert_eq!(view, expected);
        check(&view, 10, retained);
        assert_eq!(lender.out(), usize::from(!detached));

        let mut view = filled(&lender.memory(), 50).range(20..30);
        assert_eq!(view.try_detach_if(memory, always).unwrap(), detached);
        check(&view, 10, retained);
    }
}

#[test]
fn a_copy_that_keeps_as_much_is_not_made() {
    for new in Lender::both(100) {
        check_gain(&new.memory(), false, 100);
        assert_eq!(new.out(), 0, "what was reserved went back");
    }
    check_gain(&Lender::counted(101).memory(), false, 100);
    check_gain(&Lender::counted(99).memory(), true, 99);
    check_gain(&Lender::counted(4).memory(), true, 12);
    check_gain(&Counting::new(100, true), true, 10);
}

#[test]
fn only_blocks_that_the_copy_needs_are_weighed() {
    let lender = Lender::counted(60);
    let generous = CallbackMemory::new(move |_| lender.memory().reserve(500));
    check_gain(&generous, true, 60);
    let lender = Lender::counted(9);
    let generous = CallbackMemory::new(move |_| lender.memory().reserve(500));
    check_gain(&generous, true, 18);
}

/// The memory is what other buffers left of a large block: all of that is kept.
#[test]
fn capacity_in_a_large_block_is_a_large_block() {
    let lender = Lender::counted(1000);
    let leftovers = CallbackMemory::new(move |bytes| {
        let mut buf = lender.memory().reserve(1000);
        buf.put_byte_repeated(0, 1000 - bytes);
        drop(buf.consume_all());
        buf
    });
    check_gain(&leftovers, false, 100);
}
