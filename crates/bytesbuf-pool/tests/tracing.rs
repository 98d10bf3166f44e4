//! Events for the `tracing` crate, as a subscriber gets them.
#![cfg(not(bytesbuf_loom))]

use std::fmt::{Debug, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytesbuf_pool::{Budget, GlobalPool};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps each event as a line, and then runs something.
struct Kept<F> {
    lines: Arc<Mutex<Vec<String>>>,
    then: F,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write!(self.0, " {value:?}"),
            // Not to depend on time.
            "waited_us" => write!(self.0, " waited_us"),
            name => write!(self.0, " {name}={value:?}"),
        }
        .unwrap();
    }
}

impl<F: Fn() + 'static> Subscriber for Kept<F> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        panic!("there are no spans");
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let level = match *metadata.level() {
            Level::WARN => "warn",
            Level::DEBUG => "debug",
            _ => "other",
        };
        let mut line = Line(format!("{level} {}:", metadata.target()));
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
        (self.then)();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The events of `what`; each is followed by `then`.
fn events_then(then: impl Fn() + Send + Sync + 'static, what: impl FnOnce()) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Kept {
        lines: lines.clone(),
        then,
    };
    with_default(kept, what);
    lines.lock().unwrap().drain(..).collect()
}

fn events(what: impl FnOnce()) -> Vec<String> {
    events_then(|| (), what)
}

fn budget() -> Budget {
    Budget::builder(1000).name("listener").build().unwrap()
}

#[test]
fn a_refusal_has_its_numbers() {
    let listener = budget();
    let connection = Budget::builder(5000).parent(&listener).build().unwrap();
    let lines = events(|| {
        let held = connection.try_charge(700).unwrap();
        connection.try_charge(400).unwrap_err();
        connection.charge_timeout(6000, Duration::MAX).unwrap_err();
        drop(held);
    });
    let refused = "warn bytesbuf::budget: budget refuses a request";
    assert_eq!(
        lines,
        [
            format!("{refused} budget=\"listener\" requested=400 in_use=700 limit=1000"),
            format!("{refused} budget=\"budget\" requested=6000 in_use=700 limit=5000"),
        ]
    );
}

#[test]
fn a_wait_has_a_beginning_and_an_end() {
    let budget = budget();
    let all = budget.try_charge(1000).unwrap();
    let begins = "debug bytesbuf::budget: request waits for budget budget=\"listener\"";
    let lines = events(|| {
        let mut context = Context::from_waker(Waker::noop());
        let mut served = pin!(budget.charge_async(10));
        assert!(served.as_mut().poll(&mut context).is_pending());
        assert!(served.as_mut().poll(&mut context).is_pending());
        let mut dropped = Box::pin(budget.charge_async(20));
        assert!(dropped.as_mut().poll(&mut context).is_pending());
        drop(dropped);
        drop(all);
        assert!(matches!(
            served.as_mut().poll(&mut context),
            Poll::Ready(Ok(_))
        ));
    });
    assert_eq!(
        lines,
        [
            format!("{begins} requested=10 limit=1000"),
            format!("{begins} requested=20 limit=1000"),
            "debug bytesbuf::budget: request gives up waiting requested=20 waited_us".into(),
            "debug bytesbuf::budget: request got its budget budget=\"listener\" requested=10 \
             waited_us"
                .into(),
        ]
    );
}

#[test]
fn a_wait_whose_time_is_up_is_refused() {
    let budget = budget();
    let all = budget.try_charge(1000).unwrap();
    let lines = events(|| {
        budget.charge_timeout(30, Duration::ZERO).unwrap_err();
    });
    drop(all);
    let messages: Vec<_> = lines.iter().map(|line| &line[..35]).collect();
    assert_eq!(
        messages,
        [
            "debug bytesbuf::budget: request wai",
            "debug bytesbuf::budget: request giv",
            "warn bytesbuf::budget: budget refus",
        ]
    );
}

#[test]
#[cfg_attr(
    bytesbuf_pass_through,
    ignore = "slabs come and go with their one block there"
)]
fn growing_trimming_and_closing() {
    let pool = GlobalPool::builder().name("frames").build().unwrap();
    let mut given_back = 0;
    let lines = events(|| {
        let held = pool.rent(4000).unwrap();
        drop(pool.rent(4000).unwrap());
        assert_eq!(pool.trim(), 0, "a block of the slab is out");
        drop(held);
        given_back = pool.trim();
        let held = pool.rent(1000).unwrap();
        drop(pool);
        drop(held);
    });
    let blocks = if cfg!(miri) { 4 } else { 126 };
    let grew = "debug bytesbuf::pool: pool gets a slab pool=\"frames\"";
    assert_eq!(
        lines[..2],
        [
            format!("{grew} block_size=4096 blocks={blocks} bytes={given_back}"),
            format!(
                "debug bytesbuf::pool: pool gives memory back pool=\"frames\" bytes={given_back}"
            ),
        ]
    );
    assert!(lines[2].starts_with(&format!("{grew} block_size=1024")));
    assert_eq!(
        lines[3..],
        ["debug bytesbuf::pool: pool is closed pool=\"frames\" bytes_in_use=1024"]
    );
}

/// Nothing is locked, and what the subscriber does makes no events without end.
#[test]
#[cfg_attr(
    bytesbuf_pass_through,
    ignore = "slabs come and go with their one block there"
)]
fn a_subscriber_may_use_the_pool_and_the_budget() {
    let pool = GlobalPool::builder().max_bytes(1 << 20).build().unwrap();
    let handle = pool.clone();
    let then = move || {
        drop(handle.rent_contiguous(200_000));
        handle.rent_contiguous(2 << 20).unwrap_err();
        drop(
            handle
                .budget()
                .unwrap()
                .charge_timeout(1 << 20, Duration::ZERO),
        );
        let _ = (handle.stats().to_string(), handle.trim());
    };
    let lines = events_then(then, || {
        let held = pool.rent(1).unwrap();
        pool.rent_contiguous(2 << 20).unwrap_err();
        drop(held);
        assert!(pool.trim() > 0);
    });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(pool.budget().unwrap().in_use(), 0);
}

#[test]
#[cfg_attr(
    bytesbuf_pass_through,
    ignore = "slabs come and go with their one block there"
)]
fn a_panic_of_a_subscriber_does_not_get_out() {
    let pool = GlobalPool::new();
    let lines = events_then(
        || panic!("on purpose"),
        || {
            let block = pool.rent(1).unwrap();
            drop(block);
            assert!(pool.trim() > 0, "nothing is lost");
        },
    );
    assert_eq!(lines.len(), 2);
    assert_eq!(events(|| drop(pool.rent(1))).len(), 1, "and events go on");
}
