//! Scenarios of two threads that share a view: run natively (many repetitions), under
//! miri (few), and under loom (`cargo xtask loom`: every interleaving, with leaks
//! detected).
//!
//! The protocol under test here is the shared list's: changed in place by its sole
//! owner, copied by everybody else (N2). In `waiting` it is that of memory which
//! comes back to who waits for it.

mod waiting;

use std::vec;

#[cfg(bytesbuf_loom)]
use loom::{sync::Arc, thread};
#[cfg(not(bytesbuf_loom))]
use std::{sync::Arc, thread};

use crate::BytesView;

/// Runs a scenario.
fn model(scenario: impl Fn() + Send + Sync + 'static) {
    #[cfg(bytesbuf_loom)]
    loom::model(scenario);
    #[cfg(not(bytesbuf_loom))]
    for _ in 0..rounds() {
        scenario();
    }
}

/// How often a scenario is run: as `BYTESBUF_ROUNDS` says, if it is set.
#[cfg(not(bytesbuf_loom))]
fn rounds() -> u32 {
    let by_default = if cfg!(miri) { 4 } else { 500 };
    let said = std::env::var("BYTESBUF_ROUNDS");
    said.map_or(by_default, |rounds| rounds.parse().expect("a number"))
}

/// An owner that can be seen to go away: loom reports an `Arc` that is not dropped,
/// and `assert_gone` one that is dropped too late.
struct Owner {
    bytes: vec::Vec<u8>,
    _alive: Arc<()>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

struct Spans(Arc<()>);

impl Spans {
    fn new() -> Self {
        Self(Arc::new(()))
    }

    fn view(&self, parts: &[&[u8]]) -> BytesView {
        let span = |part: &&[u8]| {
            BytesView::from_owner(Owner {
                bytes: part.to_vec(),
                _alive: Arc::clone(&self.0),
            })
        };
        parts.iter().map(span).collect()
    }

    #[track_caller]
    fn assert_alive(&self, spans: usize) {
        assert_eq!(Arc::strong_count(&self.0) - 1, spans, "spans kept alive");
    }
}

#[test]
fn advance_here_while_read_and_dropped_there() {
    model(|| {
        let spans = Spans::new();
        let mut here = spans.view(&[b"ab", b"cd"]);
        let there = here.clone();
        let other = thread::spawn(move || {
            assert_eq!(there, b"abcd");
            drop(there);
        });
        here.advance(3);
        assert_eq!(here, b"d");
        other.join().unwrap();
        spans.assert_alive(1);
        drop(here);
        spans.assert_alive(0);
    });
}

#[test]
fn both_append_to_a_shared_list() {
    model(|| {
        let spans = Spans::new();
        let mut here = spans.view(&[b"a", b"b"]);
        let mut there = here.clone();
        let other = thread::spawn(move || {
            there.append(BytesView::from_static(b"x"));
            assert_eq!(there, b"abx");
        });
        here.append(BytesView::from_static(b"y"));
        assert_eq!(here, b"aby");
        other.join().unwrap();
        drop(here);
        spans.assert_alive(0);
    });
}

#[test]
fn split_here_while_cloned_there() {
    model(|| {
        let spans = Spans::new();
        let mut here = spans.view(&[b"ab", b"cd", b"ef"]);
        let there = here.clone();
        let other = thread::spawn(move || {
            let twin = there.clone();
            drop(there);
            assert_eq!(twin.range(1..5), b"bcde");
        });
        let front = here.split_to(3);
        assert_eq!(front, b"abc");
        assert_eq!(here, b"def");
        drop((front, here));
        other.join().unwrap();
        spans.assert_alive(0);
    });
}
