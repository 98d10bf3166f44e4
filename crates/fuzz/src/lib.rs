//! Random programs of operations, each with a model that says what must happen.
//!
//! | target | operations on | model |
//! |---|---|---|
//! | [`view_algebra`] | views: construction, ranges, cutting, joining, reading, comparing, detaching | bytes, each with its block |
//! | [`buffer_algebra`] | buffers: reserving from eight providers, writing, consuming, cutting capacity | bytes, and the room in each block |
//! | [`bytes_interop`] | `bytes::Bytes`, `Buf`, `BufMut`, `Read`, `BufRead`, `Write` | the same |
//! | [`budget_and_trim`] | nested budgets, pools with and without, waiting futures, trimming, drop orders | levels with queues, without atomics |
//! | [`provider`] | providers that lie, fail, panic, or lend odd blocks | bytes, and the blocks that may be out |
//!
//! A *program* is what `arbitrary` makes of the fuzzer's bytes. Arguments are of the
//! full range of `usize`, with a bias to what is near a limit. A panic is expected
//! exactly where it is documented, and must leave the value as it was.
//!
//! The binaries in `fuzz_targets` feed programs of libFuzzer to these modules, and
//! `tests/replay.rs` those of the committed corpus, without libFuzzer.

pub mod budget_and_trim;
pub mod buffer_algebra;
pub mod bytes_interop;
pub mod provider;
pub mod view_algebra;

mod amount;
mod attempt;
mod lender;
mod memory;
mod model_buf;

use arbitrary::{Arbitrary, Unstructured};

/// The targets, by name.
pub const TARGETS: [Target; 5] = [
    Target::of::<view_algebra::Views>("view_algebra"),
    Target::of::<buffer_algebra::Buffers>("buffer_algebra"),
    Target::of::<bytes_interop::Interop>("bytes_interop"),
    Target::of::<budget_and_trim::Budgets>("budget_and_trim"),
    Target::of::<provider::Hostile>("provider"),
];

/// What a target does with an input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Also that of its binary and of its corpus.
    pub name: &'static str,
    /// The program in the input as text, if there is one.
    pub show: fn(&[u8]) -> Option<String>,
    /// Runs the program in the input. Whether there is one.
    pub run: fn(&[u8]) -> bool,
}

/// A list of operations that judges itself.
pub trait Program: for<'a> Arbitrary<'a> + std::fmt::Debug {
    /// Panics if something does not do as the model does.
    fn run(self);
}

impl Target {
    const fn of<P: Program>(name: &'static str) -> Self {
        Self {
            name,
            show: |input| Some(format!("{:#?}", program::<P>(input)?)),
            run: |input| program::<P>(input).map(P::run).is_some(),
        }
    }
}

/// Operations until the input ends: all of it counts, wherever it is changed. (A vector of
/// `arbitrary` asks for a bit before each element, so half of all changes would end it.)
fn steps<'a, T: Arbitrary<'a>>(input: &mut Unstructured<'a>) -> arbitrary::Result<Vec<T>> {
    let mut steps = Vec::new();
    while !input.is_empty() {
        steps.push(input.arbitrary()?);
    }
    Ok(steps)
}

/// The program that libFuzzer's binaries would make of an input.
fn program<P: Program>(input: &[u8]) -> Option<P> {
    P::arbitrary_take_rest(Unstructured::new(input)).ok()
}
