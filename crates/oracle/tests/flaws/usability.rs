//! Flaws 22 to 27: what is in the way of users.
#![expect(unsafe_code, reason = "implements the unsafe contract of a block")]

use std::collections::HashMap;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;

use bytes::Bytes;
use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{BlockRefDynamic, BlockRefVTable, GlobalPool, Memory};
use bytesbuf::{BytesBuf, BytesView};
use bytesbuf_oracle::attempt;
use bytesbuf_oracle::planks::ours::Carpenter;

/// A view of several slices: blocks of three bytes.
fn pieces(content: &[u8]) -> BytesView {
    BytesView::copied_from_slice(content, &FixedBlockMemory::new(NonZero::new(3).unwrap()))
}

/// A state that may not be shared between threads as such.
struct RawState(#[expect(dead_code, reason = "makes the type neither Send nor Sync")] *mut u8);

// SAFETY: nobody ever makes a reference of this type.
unsafe impl BlockRefDynamic for RawState {
    type State = Self;
    unsafe fn clone(state: NonNull<Self>) -> NonNull<Self> {
        state
    }
    unsafe fn drop(_state: NonNull<Self>) {}
}

/// Compiles because the table is `Sync` whatever the state is.
static TABLE: BlockRefVTable<RawState> = BlockRefVTable::from_trait();

#[test]
fn flaw_22_tables_may_be_statics_and_blocks_may_travel() {
    let _: &'static BlockRefVTable<RawState> = &TABLE;
    let carpenter = Carpenter::default();
    let block = carpenter.plank(5);
    let view = std::thread::spawn(move || {
        let mut buf = BytesBuf::from_blocks([block]);
        buf.put_slice(*b"moved");
        buf.consume_all()
    })
    .join()
    .unwrap();
    assert_eq!(view, b"moved");
    drop(view);
    assert_eq!(carpenter.live(), 0);
}

#[test]
fn flaw_23_reading_can_be_tried() {
    let mut view = pieces(b"abcde");
    let error = view.try_get_num_le::<u64>().unwrap_err();
    assert_eq!((error.requested, error.available), (8, 5));
    let error = view.try_copy_to_slice(&mut [0; 6]).unwrap_err();
    assert_eq!((error.requested, error.available), (6, 5));
    let error = view
        .try_copy_to_uninit_slice(&mut [MaybeUninit::uninit(); 7])
        .unwrap_err();
    assert_eq!((error.requested, error.available), (7, 5));
    view.try_get_u64_be().unwrap_err();
    assert_eq!(view, b"abcde");
    assert_eq!(view.try_get_u32_be().unwrap(), u32::from_be_bytes(*b"abcd"));
    assert_eq!(view.try_get_byte().unwrap(), b'e');
    assert_eq!(view.try_get_byte().unwrap_err().available, 0);
}

#[test]
fn flaw_23_writing_can_be_tried() {
    let mut buf = TransparentMemory::new().reserve(3);
    let error = buf.try_put_slice(b"abcd").unwrap_err();
    assert_eq!((error.requested, error.remaining), (4, 3));
    assert!(buf.is_empty());
    buf.try_put_slice(b"abc").unwrap();
    buf.clear();
    assert_eq!(buf.len(), 0);
}

#[test]
fn flaw_23_views_can_be_cut() {
    let mut view = pieces(b"abcdefghij");
    assert_eq!(view.split_to(4), b"abcd");
    assert_eq!(view.split_off(4), b"ij");
    assert_eq!(view, b"efgh");
    view.truncate(2);
    assert_eq!(view, b"ef");
    view.truncate(9);
    assert_eq!(view.len(), 2);
    for at in [3, usize::MAX] {
        attempt(|| view.split_to(at)).unwrap_err();
        attempt(|| view.split_off(at)).unwrap_err();
    }
    assert_eq!(view, b"ef");
}

#[test]
fn flaw_23_views_have_order_and_hash_by_content() {
    let (cut, whole) = (pieces(b"abcdefgh"), BytesView::from(b"abcdefgh".to_vec()));
    let mut map = HashMap::from([(cut.clone(), 1)]);
    assert_eq!(map.get(&whole), Some(&1));
    map.insert(whole.clone(), 2);
    assert_eq!(map.len(), 1);
    assert_eq!(cut.cmp(&whole), std::cmp::Ordering::Equal);
    assert!(cut < pieces(b"abcdefgi") && cut > pieces(b"abcdefg") && cut < pieces(b"b"));
    assert!(BytesView::new() < cut);
}

/// Checks that the comparison works both ways round.
#[track_caller]
fn check_equal<T: ?Sized + PartialEq<BytesView>>(view: &BytesView, other: &T)
where
    BytesView: PartialEq<T>,
{
    assert!(*view == *other, "the view on the left");
    assert!(*other == *view, "the view on the right");
}

#[test]
fn flaw_23_views_compare_with_what_holds_bytes() {
    let view = pieces(b"abcd");
    check_equal(&view, b"abcd");
    check_equal(&view, &b"abcd"[..]);
    check_equal(&view, &b"abcd".to_vec());
    check_equal(&view, "abcd");
    check_equal(&view, &"abcd");
    check_equal(&view, &Bytes::from_static(b"abcd"));
    assert!(view != *b"abce" && view != b"abc"[..] && view != "abcde" && view != vec![]);
}

#[test]
fn flaw_23_views_are_collected() {
    let mut all: BytesView = [pieces(b"ab"), BytesView::new(), pieces(b"cdefg")]
        .into_iter()
        .collect();
    all.extend([pieces(b"h"), pieces(b"i")]);
    assert_eq!(all, b"abcdefghi");
    assert_eq!(all.to_vec(), b"abcdefghi");
}

#[test]
fn flaw_23_views_are_made_of_statics_and_owners() {
    const HELLO: BytesView = BytesView::from_static(b"hello");
    assert_eq!(HELLO, b"hello");
    let owner: std::sync::Arc<[u8]> = (*b"shared").into();
    let start = owner.as_ptr();
    let view = BytesView::from_owner(std::sync::Arc::clone(&owner));
    assert_eq!(
        (view.first_slice(), view.first_slice().as_ptr()),
        (&b"shared"[..], start)
    );
    drop(view);
    assert_eq!(std::sync::Arc::strong_count(&owner), 1);
}

#[test]
fn flaw_23_input_is_read_in_full() {
    let mut view = pieces(b"abcdefghij");
    let (mut a, mut b) = ([0; 4], [0; 3]);
    let mut slices = [
        std::io::IoSliceMut::new(&mut a),
        std::io::IoSliceMut::new(&mut b),
    ];
    assert_eq!(view.read_vectored(&mut slices).unwrap(), 7);
    assert_eq!((&a, &b), (b"abcd", b"efg"));
    let mut rest = Vec::new();
    assert_eq!(view.read_to_end(&mut rest).unwrap(), 3);
    assert_eq!(rest, b"hij");
}

#[test]
fn flaw_23_output_is_written_from_and_into_many_slices() {
    let view = pieces(b"abcdefgh");
    let slices: Vec<IoSlice<'_>> = view.io_slices().collect();
    assert_eq!(slices.len(), 3);
    let mut writer = BytesBuf::new().into_writer(GlobalPool::new());
    assert_eq!(writer.write_vectored(&slices).unwrap(), 8);
    assert_eq!(writer.get_ref().len(), 8);
    assert_eq!(writer.into_inner().consume_all(), view);
}

#[test]
fn flaw_23_numbers_have_methods_of_their_own() {
    let mut buf = GlobalPool::new().reserve(100);
    buf.put_u16_be(1);
    buf.put_i32_le(-2);
    buf.put_f64_ne(0.5);
    buf.put_u128_be(3);
    let mut view = buf.consume_all();
    assert_eq!(view.get_u16_be(), 1);
    assert_eq!(view.get_i32_le(), -2);
    assert_eq!(view.get_f64_ne(), 0.5);
    assert_eq!(view.get_u128_be(), 3);
}

/// Checks that the debug output of `value` says nothing about `SECRET` and nothing
/// about where it is.
#[track_caller]
fn check_silent(value: &dyn std::fmt::Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        let lower = text.to_lowercase();
        for leak in ["secret", "53, 45", "83, 69", "5345", "0x"] {
            assert!(!lower.contains(leak), "{leak} in {text}");
        }
    }
}

#[test]
fn flaw_24_debug_output_has_neither_content_nor_addresses() {
    let carpenter = Carpenter::default();
    for memory in [
        &GlobalPool::new() as &dyn Memory,
        &TransparentMemory::new(),
        &carpenter,
    ] {
        let mut buf = memory.reserve(100);
        buf.put_slice(*b"SECRET");
        check_silent(&buf);
        let view = buf.peek();
        check_silent(&view);
        check_silent(&view.slices());
        check_silent(&view.io_slices());
        check_silent(&view.concat(view.clone()));
        let mut write = buf.begin_vectored_write(None);
        check_silent(&write.slices_mut());
        check_silent(&write);
        check_silent(&buf.into_writer(TransparentMemory::new()));
    }
    check_silent(&BytesView::from(b"SECRET".to_vec()));
    check_silent(&BytesView::from(Bytes::from_static(b"SECRET")));
}

#[test]
fn flaw_24_content_is_shown_on_request() {
    let view = pieces(b"GET /\r\n\xff");
    assert_eq!(view.escaped().to_string(), r"GET /\r\n\xff");
    assert_eq!(view.hex().to_string(), "474554202f0d0aff");
}

#[test]
fn flaw_24_the_pool_describes_itself_briefly() {
    let pool = GlobalPool::new();
    drop(pool.reserve(500_000));
    let text = format!("{pool:?}");
    assert!(text.len() < 500, "{} bytes: {text}", text.len());
}

#[test]
fn flaw_25_byte_strings_and_erased_providers_have_a_way_in() {
    // `put_slice` keeps its bound, so that everything it took it still takes.
    let mut buf = TransparentMemory::new().reserve(30);
    buf.put_slice(*b"abc");
    buf.put_slice(b"abc".as_slice());
    buf.put_slice(b"abc".to_vec());
    buf.put_slice(b"abc".to_vec().into_boxed_slice());
    buf.try_put_slice(b"abc").unwrap();
    assert_eq!(buf.consume_all(), b"abcabcabcabcabc");

    let erased: &dyn Memory = &TransparentMemory::new();
    assert_eq!(BytesView::copied_from_slice(b"x", &erased), b"x");
    let boxed: Box<dyn Memory> = Box::new(TransparentMemory::new());
    assert_eq!(BytesView::copied_from_slice(b"x", &boxed), b"x");
}

/// Checks that `f` panics with all of `numbers` in its message.
#[track_caller]
fn check_message<T>(numbers: &[usize], f: impl FnOnce() -> T) {
    let message = attempt(|| drop(f())).unwrap_err();
    for number in numbers {
        let number = number.to_string();
        let found = message
            .split(|c: char| !c.is_ascii_digit())
            .any(|word| word == number);
        assert!(found, "no {number} in: {message}");
    }
}

#[test]
fn flaw_26_panics_of_buffers_say_how_many_bytes() {
    let mut buf = TransparentMemory::new().reserve(13);
    buf.put_slice(*b"ab");
    check_message(&[17, 11], || buf.put_slice([0; 17]));
    check_message(&[17, 11], || buf.put_byte_repeated(0, 17));
    check_message(&[16, 11], || buf.put_num_le(1_u128));
    check_message(&[16, 11], || buf.put_u128_le(1));
    check_message(&[17, 2], || buf.consume(17));
    check_message(&[17, 11], || buf.split_off_remaining(17));
    check_message(&[17, 11], || {
        buf.begin_vectored_write(Some(17));
    });
    check_message(&[1, 0], || BytesBuf::new().put_byte(1));
    assert_eq!((buf.len(), buf.remaining_capacity()), (2, 11));
}

#[test]
fn flaw_26_panics_of_views_say_how_many_bytes() {
    let mut view = pieces(b"abcde");
    check_message(&[17, 5], || view.advance(17));
    check_message(&[17, 5], || view.copy_to_slice(&mut [0; 17]));
    check_message(&[17, 5], || {
        view.copy_to_uninit_slice(&mut [MaybeUninit::uninit(); 17])
    });
    check_message(&[8, 5], || view.get_num_be::<u64>());
    check_message(&[8, 5], || view.get_u64_be());
    check_message(&[5], || view.range(..17));
    check_message(&[1, 0], || BytesView::new().get_byte());
    assert_eq!(view, b"abcde");
}

#[test]
fn messages_that_programs_may_look_for_are_those_of_the_reference() {
    let mut buf = BytesBuf::new();
    let message = attempt(|| buf.consume(1)).unwrap_err();
    assert!(message.starts_with("attempted to consume more bytes than available in buffer"));
    let mut view = BytesView::new();
    let message = attempt(|| view.advance(1)).unwrap_err();
    assert!(message.starts_with("attempted to advance past end of the view"));
    let message = attempt(|| view.range(1..)).unwrap_err();
    assert!(message.starts_with("provided range out of view bounds"));
}
