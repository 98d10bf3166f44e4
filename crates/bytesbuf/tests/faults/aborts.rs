//! The n-th allocation is refused where the interface has no way to say so: the
//! process ends, by the hook of the standard library, for every n up to the end of each
//! scenario. It does not go on with half a list, and it does not unwind.
#![cfg(not(miri))]

use bytesbuf::BytesView;
use bytesbuf::mem::testing::FixedBlockMemory;
use bytesbuf::mem::{Budget, BudgetedMemory, GlobalPool, OpaqueMemory};

use crate::allocator::Trial;
use crate::child;

fn one_byte_each() -> FixedBlockMemory {
    FixedBlockMemory::new(std::num::NonZero::<u32>::MIN)
}

/// Views that do not merge.
fn pieces(count: usize) -> Vec<BytesView> {
    (0..count).map(|n| BytesView::from(vec![n as u8])).collect()
}

/// What is done with refusals, after some preparation without.
type Scenario = fn(&Trial);

const SCENARIOS: &[(&str, Scenario)] = &[
    ("owners", |trial| {
        let (bytes, text) = (vec![1, 2, 3], String::from("text"));
        let views = trial.exposed(|| {
            let owner = BytesView::from_owner([1_u8, 2, 3]);
            (BytesView::from(bytes), BytesView::from(text), owner)
        });
        assert_eq!((views.0.len(), views.1.len(), views.2.len()), (3, 4, 3));
    }),
    ("a list that grows", |trial| {
        let pieces = pieces(40);
        let view = trial.exposed(|| BytesView::from_views(pieces));
        assert_eq!(view.slices().len(), 40);
    }),
    ("a shared list that is changed", |trial| {
        let mut view = BytesView::from_views(pieces(20));
        let twin = view.clone();
        let last = BytesView::from(vec![0]);
        trial.exposed(|| {
            view.advance(1);
            view.append(last);
        });
        assert_eq!((view.len(), twin.len()), (20, 20));
    }),
    ("parts of a list", |trial| {
        let mut view = BytesView::from_views(pieces(20));
        let parts = trial.exposed(|| (view.range(3..15), view.split_to(9), view.split_off(5)));
        assert_eq!((parts.0.len(), parts.1.len(), parts.2.len()), (12, 9, 6));
    }),
    ("views in a buffer", |trial| {
        let mut buf = one_byte_each().reserve(3);
        let pieces = pieces(6);
        trial.exposed(|| {
            buf.put_byte(1);
            for piece in pieces {
                buf.put_bytes(piece);
            }
            buf.put_byte(2);
        });
        assert_eq!((buf.len(), buf.remaining_capacity()), (8, 1));
    }),
    ("bytes across blocks", |trial| {
        let mut buf = one_byte_each().reserve(12);
        let mut view = BytesView::from(vec![7; 5]);
        let memory = one_byte_each();
        trial.exposed(|| {
            buf.put_slice(*b"0123456789");
            view.detach(&memory);
        });
        assert_eq!((buf.len(), view.slices().len()), (10, 5));
    }),
    ("a buffer of many blocks", |trial| {
        let buf = one_byte_each().reserve(30);
        let peeked = trial.exposed(|| (buf.extend_lifetime(), buf.peek()));
        assert!(peeked.1.is_empty());
    }),
    ("copies", |trial| {
        let view = BytesView::from_views(pieces(20));
        let copies = trial.exposed(|| (view.to_vec(), view.retained_bytes()));
        assert_eq!((copies.0.len(), copies.1), (20, 20));
    }),
    ("pools and budgets", |trial| {
        let made = trial.exposed(|| {
            let pool = GlobalPool::new();
            let budget = Budget::new(100_000).child(50_000);
            let memory = OpaqueMemory::new(BudgetedMemory::new(pool, &budget));
            (memory, budget)
        });
        assert_eq!(made.1.in_use(), 0);
    }),
];

const WHICH: &str = "BYTESBUF_TEST_SCENARIO";
const ALLOWED: &str = "BYTESBUF_TEST_ALLOWED";

#[test]
#[ignore = "aborts"]
fn child_without_memory() {
    let number = |name| std::env::var(name).unwrap().parse::<usize>().unwrap();
    let trial = Trial::begin(number(ALLOWED), false);
    println!("begins");
    SCENARIOS[number(WHICH)].1(&trial);
    println!(
        "{}",
        if trial.has_refused() {
            "went on"
        } else {
            "complete"
        }
    );
}

#[test]
fn without_memory_the_process_ends_at_once() {
    for (which, (name, _)) in SCENARIOS.iter().enumerate() {
        for allowed in 0.. {
            let variables = [(WHICH, which.to_string()), (ALLOWED, allowed.to_string())];
            let ended = child::run("aborts::child_without_memory", &variables);
            assert!(
                ended.stdout.contains("begins"),
                "{name}, {allowed}: {ended:?}"
            );
            if ended.stdout.contains("complete") {
                assert!(ended.success, "{name}, {allowed}: {ended:?}");
                assert!(allowed > 0, "{name} allocates nothing");
                break;
            }
            assert!(ended.aborted, "{name}, {allowed}: {ended:?}");
            let said = ended.stderr.contains("memory allocation of")
                || ended.stderr.contains("cannot reserve memory");
            assert!(said, "{name}, {allowed}: {ended:?}");
        }
    }
}
