//! Flaws 1 to 11: wrong results.
#![expect(unsafe_code, reason = "calls the unsafe methods under test")]

use std::cell::RefCell;
use std::io::Write;
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{CallbackMemory, GlobalPool, Memory, RefCount, ReserveError};
use bytesbuf::{BytesBuf, BytesView};
use bytesbuf_oracle::attempt;
use bytesbuf_oracle::planks::ours::Carpenter;
use num_traits::FromBytes;

/// A buffer with `abcdef` in a block of 16 bytes, whose other 10 bytes are split off.
fn split_after_six() -> (BytesBuf, BytesBuf) {
    let mut buf = TransparentMemory::new().reserve(16);
    buf.put_slice(*b"abcdef");
    let rest = buf.split_off_remaining(10);
    (buf, rest)
}

#[test]
fn flaw_01_split_then_partial_consume_keeps_the_rest() {
    let (mut buf, mut rest) = split_after_six();
    assert_eq!(
        (buf.len(), buf.capacity(), buf.remaining_capacity()),
        (6, 6, 0)
    );
    assert_eq!(buf.consume(2), b"ab");
    assert_eq!(buf.len(), 4);
    assert_eq!(buf.peek(), b"cdef");
    assert_eq!(buf.consume(3), b"cde");
    assert_eq!(buf.consume_all(), b"f");
    assert!(buf.is_empty());

    assert_eq!((rest.len(), rest.remaining_capacity()), (0, 10));
    rest.put_slice(*b"0123456789");
    assert_eq!(rest.consume_all(), b"0123456789");
}

#[test]
fn flaw_01_the_checked_split_does_as_well() {
    let mut buf = FixedBlockMemory::new(NonZero::new(4).unwrap()).reserve(8);
    buf.put_slice(*b"abcdef");
    let rest = buf.split_off_remaining_checked(2).unwrap();
    assert_eq!(rest.remaining_capacity(), 2);
    assert_eq!(buf.consume(5), b"abcde");
    assert_eq!(buf.consume(1), b"f");
}

#[test]
fn flaw_02_split_then_reserve_and_put_ends() {
    let (mut buf, _rest) = split_after_six();
    assert!(buf.first_unfilled_slice().is_empty());
    buf.reserve(4, &TransparentMemory::new());
    assert_eq!(buf.first_unfilled_slice().len(), 4);
    buf.put_slice(*b"ghij");
    assert_eq!(buf.consume(8), b"abcdefgh");
    assert_eq!(buf.consume_all(), b"ij");
}

#[test]
fn flaw_02_split_then_write_ends() {
    let (buf, _rest) = split_after_six();
    let mut writer = buf.into_writer(TransparentMemory::new());
    writer.write_all(b"ghij").unwrap();
    assert_eq!(writer.into_inner().consume_all(), b"abcdefghij");
}

/// A number of one byte, by its own size, whose representation is something else.
struct Hostile<B>(B);

macro_rules! hostile {
    ($bytes:ty) => {
        impl FromBytes for Hostile<$bytes> {
            type Bytes = $bytes;
            fn from_le_bytes(bytes: &$bytes) -> Self {
                Self(bytes.clone())
            }
            fn from_be_bytes(bytes: &$bytes) -> Self {
                Self(bytes.clone())
            }
        }
    };
}
hostile!([u8; 64]);
hostile!([u8; 4]);
hostile!([u8; 17]);
hostile!(Vec<u8>);

#[test]
fn flaw_03_numbers_are_read_by_the_size_of_their_bytes() {
    // The number is larger than its bytes, and the other way round.
    struct Wide(
        [u8; 4],
        #[expect(dead_code, reason = "makes the type large")] [u64; 8],
    );
    impl FromBytes for Wide {
        type Bytes = [u8; 4];
        fn from_le_bytes(bytes: &[u8; 4]) -> Self {
            Self(*bytes, [0; 8])
        }
        fn from_be_bytes(bytes: &[u8; 4]) -> Self {
            Self(*bytes, [0; 8])
        }
    }
    let mut view = BytesView::from(b"abcdefgh".to_vec());
    assert_eq!(view.get_num_le::<Wide>().0, *b"abcd");
    assert_eq!(view.get_num_be::<Hostile<[u8; 4]>>().0, *b"efgh");
    assert!(view.is_empty());
}

#[test]
fn flaw_03_a_larger_representation_is_not_read_past_the_end() {
    let mut view = BytesView::from(vec![7; 63]);
    let message = attempt(|| view.get_num_le::<Hostile<[u8; 64]>>().0).unwrap_err();
    assert!(
        message.contains("64") && message.contains("63"),
        "{message}"
    );
    assert_eq!(view.len(), 63);
    view.append(BytesView::from(vec![8]));
    let bytes = view.get_num_ne::<Hostile<[u8; 64]>>().0;
    assert_eq!((bytes[62], bytes[63]), (7, 8));
    assert!(view.is_empty());
}

#[test]
fn flaw_03_a_representation_that_is_no_array_panics() {
    let mut view = BytesView::from(vec![7; 64]);
    attempt(|| view.get_num_le::<Hostile<Vec<u8>>>().0).unwrap_err();
    attempt(|| view.get_num_le::<Hostile<[u8; 17]>>().0).unwrap_err();
    assert_eq!(view.len(), 64);
}

#[test]
fn flaw_04_a_total_above_usize_max_is_refused_before_the_provider_is_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    let memory = CallbackMemory::new({
        let asked = Arc::clone(&asked);
        move |n| {
            // Relaxed: partner of nothing; one thread.
            asked.fetch_add(1, Ordering::Relaxed);
            TransparentMemory::new().reserve(n)
        }
    });
    let mut buf = BytesBuf::from(BytesView::from(b"abc".to_vec()));
    // len + remaining + (additional - remaining) is usize::MAX + 1.
    let additional = usize::MAX - 2;
    let error = buf.try_reserve(additional, &memory).unwrap_err();
    assert!(matches!(error, ReserveError::TooLarge { .. }), "{error}");
    attempt(|| buf.reserve(additional, &memory)).unwrap_err();
    // Relaxed: partner of nothing; one thread.
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!((buf.len(), buf.capacity()), (3, 3));
}

/// Checks that an answer of `wrong` does no harm, for a request of 6 bytes on top
/// of `ab`.
#[track_caller]
fn check_wrong_answer(wrong: fn(usize) -> BytesBuf) {
    let memory = CallbackMemory::new(wrong);
    let mut buf = TransparentMemory::new().reserve(2);
    buf.put_slice(*b"ab");

    let message = attempt(|| buf.reserve(6, &memory)).unwrap_err();
    assert!(message.contains("provider"), "{message}");
    let error = buf.try_reserve(6, &memory).unwrap_err();
    assert!(
        matches!(error, ReserveError::BrokenProvider { requested: 6, .. }),
        "{error}"
    );
    assert_eq!((buf.len(), buf.capacity()), (2, 2));

    buf.reserve(6, &TransparentMemory::new());
    buf.put_slice(*b"cdefgh");
    assert_eq!(buf.consume_all(), b"abcdefgh");

    // The provider itself says so, too, and so do those who wrap it.
    memory.try_reserve(6).unwrap_err();
    bytesbuf::mem::OpaqueMemory::new(memory.clone())
        .try_reserve(6)
        .unwrap_err();
    Memory::try_reserve(&memory, 6).unwrap_err();

    let mut writer = BytesBuf::new().into_writer(memory.clone());
    if let Ok(Ok(())) = attempt(|| writer.write_all(b"abcdef")) {
        assert_eq!(writer.into_inner().consume_all(), b"abcdef");
    }
    if let Ok(view) = attempt(|| BytesView::copied_from_slice(b"abcdef", &memory)) {
        assert_eq!(view, b"abcdef");
    }
}

#[test]
fn flaw_05_a_provider_that_returns_data_is_refused() {
    check_wrong_answer(|n| {
        let mut buf = TransparentMemory::new().reserve(n + 2);
        buf.put_slice(*b"zz");
        buf
    });
    check_wrong_answer(|n| BytesBuf::from(BytesView::from(vec![b'z'; n])));
}

#[test]
fn flaw_05_a_provider_that_returns_too_little_is_refused() {
    check_wrong_answer(|n| TransparentMemory::new().reserve(n - 1));
    check_wrong_answer(|_| BytesBuf::new());
}

#[test]
fn flaw_06_commit_beyond_max_len_panics_in_every_profile() {
    let mut buf = TransparentMemory::new().reserve(8);
    for too_many in [5, 8, 9, usize::MAX] {
        let mut write = buf.begin_vectored_write(Some(4));
        for (slice, _) in write.slices_mut() {
            slice.fill(MaybeUninit::new(1));
        }
        // SAFETY: wrong, and therefore documented to panic before it has any effect.
        let message = attempt(|| unsafe { write.commit(too_many) }).unwrap_err();
        assert!(message.contains(&too_many.to_string()), "{message}");
        assert_eq!((buf.len(), buf.remaining_capacity()), (0, 8));
    }
}

#[test]
fn flaw_06_advance_beyond_the_slice_panics_in_every_profile() {
    let mut buf = FixedBlockMemory::new(NonZero::new(4).unwrap()).reserve(8);
    for too_many in [5, 8, usize::MAX] {
        // SAFETY: wrong, and therefore documented to panic before it has any effect.
        attempt(|| unsafe { buf.advance(too_many) }).unwrap_err();
        assert_eq!((buf.len(), buf.remaining_capacity()), (0, 8));
    }
}

#[test]
fn flaw_07_a_panic_while_blocks_are_held_leaves_the_pool_usable() {
    let pool = GlobalPool::new();
    let nested = CallbackMemory::new({
        let pool = pool.clone();
        move |n| {
            let _blocks = pool.reserve(3 * 65536);
            let _small = pool.reserve(n);
            panic!("in the middle of a reservation")
        }
    });
    for _ in 0..3 {
        let mut buf = pool.reserve(10);
        buf.put_slice(*b"kept");
        attempt(|| buf.reserve(100_000, &nested)).unwrap_err();
        assert_eq!(buf.consume_all(), b"kept");
        assert_eq!(pool.reserve(200_000).capacity(), 4 * 65536);
    }
    // Blocks dropped while a thread unwinds.
    let held = pool.reserve(1000);
    std::thread::spawn(move || attempt(move || drop_while_unwinding(held)).unwrap_err())
        .join()
        .unwrap();
    assert_eq!(pool.reserve(1).capacity(), 1024);
}

fn drop_while_unwinding(_held: BytesBuf) {
    panic!("with a block in hand")
}

#[test]
fn flaw_07_a_panic_in_the_iterator_of_blocks_gives_all_of_them_back() {
    let carpenter = Carpenter::default();
    attempt(|| {
        BytesBuf::from_blocks((0..5).map(|i| {
            assert_ne!(i, 3, "no fourth block");
            carpenter.plank(8)
        }))
    })
    .unwrap_err();
    assert_eq!((carpenter.live(), carpenter.references()), (0, 0));
}

/// Uses pool and views when its thread is torn down.
struct AtExit {
    pool: GlobalPool,
    view: BytesView,
    report: Arc<AtomicUsize>,
}

impl Drop for AtExit {
    fn drop(&mut self) {
        let mut buf = self.pool.reserve(10);
        buf.put_slice(*b"late");
        let mut late = buf.consume_all();
        late.append(self.view.clone());
        late.append(BytesView::from(vec![b'!']));
        if late == b"lateearly!" && self.view.range(1..) == b"arly" {
            // Release: partner of the Acquire load after the join.
            self.report.fetch_add(1, Ordering::Release);
        }
    }
}

#[test]
fn flaw_08_pool_and_views_work_in_thread_local_destructors() {
    thread_local! {
        static FIRST: RefCell<Option<AtExit>> = const { RefCell::new(None) };
        static SECOND: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    }
    let report = Arc::new(AtomicUsize::new(0));
    let pool = GlobalPool::new();
    let at_exit = || AtExit {
        pool: pool.clone(),
        view: BytesView::copied_from_slice(b"early", &pool),
        report: Arc::clone(&report),
    };
    let (first, second) = (at_exit(), at_exit());
    std::thread::spawn(move || {
        // One is registered before the pool's own thread-local, one after it.
        FIRST.set(Some(first));
        drop(second.pool.reserve(1));
        SECOND.set(Some(second));
    })
    .join()
    .unwrap();
    // Acquire: partner of the Release in the destructors.
    assert_eq!(report.load(Ordering::Acquire), 2);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn flaw_09_a_vector_above_four_gib_is_not_copied() {
    // Zero pages: address space, hardly any memory.
    let vec = vec![0_u8; (1 << 32) + 5];
    let range = vec.as_ptr_range();
    let mut view = BytesView::from(vec);
    assert_eq!(view.len(), (1 << 32) + 5);
    assert_eq!(view.first_slice().as_ptr(), range.start);
    let (last, _) = view.slices().last().unwrap();
    assert_eq!(last.as_ptr_range().end, range.end);
    view.advance(1 << 32);
    assert_eq!(view, &[0; 5]);
    let tail = bytes::Bytes::from(view);
    assert_eq!(tail.as_ptr_range().end, range.end);
}

/// Run by the test below, in a process of its own.
#[test]
#[ignore = "aborts"]
fn flaw_10_child_that_overflows_a_count() {
    let count = RefCount::new(RefCount::MAX);
    println!("about to retain");
    count.retain(1);
    println!("retained");
}

#[test]
fn flaw_10_a_count_that_overflows_aborts() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture"])
        .arg("correctness::flaw_10_child_that_overflows_a_count")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("about to retain"), "{printed}");
    assert!(!printed.contains("retained"), "{printed}");
    assert!(!output.status.success());
    // An abort, not a panic that the test harness reports.
    assert!(!printed.contains("test result"), "{printed}");
}
