//! Random operations on ours, on the published 0.4.2 and on a `Vec<u8>` model.
//!
//! A random [`Draw`](step::Draw) becomes a concrete [`Step`](step::Step) by looking
//! at the model (so that amounts are near the limits), and the step is applied to
//! all of them. Outcomes, lengths, capacities and contents must agree after each
//! step; a documented panic must leave everything as it was.
//!
//! What is left out for the reference, because it is broken there:
//! * a split-off of all capacity of a partly filled block (flaws 1 and 2);
//! * `commit` beyond `max_len`, `advance` beyond the slice (flaw 6);
//! * reservations so large that the provider would abort.
//!
//! What may differ between ours and the reference: the boundaries of slices, as
//! ours merges neighbours of one block. Ours must not have more slices.
//!
//! `PROPTEST_CASES` sets the number of sequences (256 by default).

mod model;
mod run;
mod step;
mod subject;

use bytesbuf_oracle::attempt;
use proptest::prelude::*;
use run::{Among, run};
use step::Draw;

/// Without a printed panic for each attempt to shrink a failure.
fn check(draws: &[Draw], among: Among) -> Result<(), TestCaseError> {
    attempt(|| run(draws, among)).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_shrink_iters: 20_000,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::WithSource("regressions"),
        )),
        ..ProptestConfig::default()
    })]

    /// Every operation where the reference is sound.
    #[test]
    fn ours_and_the_published_crate_agree_with_the_model(
        draws in proptest::collection::vec(any::<Draw>(), 1..120),
    ) {
        check(&draws, Among::OursAndPublished)?;
    }

    /// Every operation, also those that break the reference.
    #[test]
    fn ours_agrees_with_the_model_on_everything(
        draws in proptest::collection::vec(any::<Draw>(), 1..120),
    ) {
        check(&draws, Among::OursAlone)?;
    }
}
