//! Applies draws to the model and the subjects, and compares.

use crate::model::Model;
use crate::step::{BUFS, Draw, Kind, Outcome, VIEWS};
use crate::subject::{BufState, Subject, ours, reference};

/// Who takes part besides the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    OursAndPublished,
    OursAlone,
}

/// Runs all draws; panics at the first disagreement.
pub fn run(draws: &[Draw], among: Among) {
    let mut model = Model::default();
    let mut subjects: Vec<Box<dyn Subject>> = vec![ours::Machine::new()];
    if among == Among::OursAndPublished {
        subjects.push(reference::Machine::new());
    }
    let spare = among == Among::OursAndPublished;

    for draw in draws {
        let step = model.resolve(draw, spare);
        let expected = model.apply(&step);
        for subject in &mut subjects {
            let name = subject.name();
            let (outcome, message) = subject.apply(&step);
            assert_eq!(outcome, expected, "{name}: {step:?}, panic: {message:?}");
            if step.kind == Kind::Equal {
                assert!(matches!(outcome, Outcome::Is(_)));
            }
        }
        compare(&model, &mut subjects, &format!("{step:?}"));
    }

    for subject in subjects {
        let name = subject.name();
        assert_eq!(
            subject.end(),
            (0, 0),
            "{name}: blocks and references that are not back"
        );
    }
}

fn compare(model: &Model, subjects: &mut [Box<dyn Subject>], after: &str) {
    for x in 0..BUFS {
        let buf = &model.bufs[x];
        let expected = BufState {
            len: buf.data.len(),
            capacity: buf.data.len() + buf.remaining(),
            remaining: buf.remaining(),
            is_empty: buf.data.is_empty(),
            first: buf.first(),
        };
        let mut tags = None;
        for subject in &mut *subjects {
            let name = subject.name();
            assert_eq!(
                subject.buf_state(x),
                expected,
                "{name}: buffer {x} after {after}"
            );
            let (content, own) = subject.buf_content(x);
            assert!(
                content == buf.data,
                "{name}: content of buffer {x} after {after}"
            );
            let tags = &*tags.get_or_insert_with(|| own.clone());
            assert_eq!(tags, &own, "metadata of buffer {x} differs after {after}");
        }
    }
    for x in 0..VIEWS {
        let mut first = None;
        for subject in &*subjects {
            let name = subject.name();
            let (content, tags, slices) = subject.view_content(x);
            assert!(
                content == model.views[x],
                "{name}: content of view {x} after {after}"
            );
            let (own_tags, own_slices) = &*first.get_or_insert((tags.clone(), slices));
            assert_eq!(
                own_tags, &tags,
                "metadata of view {x} differs after {after}"
            );
            assert!(
                *own_slices <= slices,
                "view {x} has {own_slices} slices, {name} has {slices}, after {after}",
            );
        }
    }
    if let [own, theirs] = subjects {
        let (own, theirs) = (own.live(), theirs.live());
        assert!(
            own <= theirs,
            "{own} blocks kept alive, the reference keeps {theirs}, after {after}"
        );
    }
}
