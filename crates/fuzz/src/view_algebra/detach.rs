//! Letting go of blocks by copying.

use super::model::Model;
use super::{Machine, first_blocks};
use crate::attempt::call;
use crate::memory::{CANNOT, Source};

impl Machine {
    pub(super) fn detach(&mut self, x: usize, source: Source, checked: bool) {
        let bytes = self.models[x].bytes();
        if self.models[x].owners().is_empty() {
            self.views[x].detach(&self.memories.get(Source::Refusing));
            return;
        }
        let memory = self.memories.get(source);
        let places = self.cells(source, bytes.len());
        let view = &mut self.views[x];
        let panic = (places.is_err() && !checked).then_some(CANNOT);
        let outcome = call(panic, || {
            if checked {
                view.try_detach(&memory)
            } else {
                view.detach(&memory);
                Ok(())
            }
        });
        if let Some(outcome) = outcome {
            assert_eq!(outcome.is_ok(), places.is_ok(), "{outcome:?}");
        }
        if let Ok(places) = places {
            self.models[x] = Model::of(&bytes, &places);
        }
    }

    pub(super) fn detach_if(&mut self, x: usize, source: Source, checked: bool, wanted: bool) {
        let bytes = self.models[x].bytes();
        let retained = self.models[x].retained(&self.owners);
        let is_asked = retained > bytes.len();
        let memory = self.memories.get(source);
        let rooms = self.memories.forecast(source, bytes.len());
        let asks_memory = is_asked && wanted;
        let mut asked = false;
        let view = &mut self.views[x];
        let panic = (asks_memory && rooms.is_err() && !checked).then_some(CANNOT);
        let outcome = call(panic, || {
            let worthwhile = |figures: bytesbuf::Retention| {
                asked = true;
                assert_eq!((figures.len, figures.retained), (bytes.len(), retained));
                wanted
            };
            if checked {
                view.try_detach_if(&memory, worthwhile)
            } else {
                Ok(view.detach_if(&memory, worthwhile))
            }
        });
        assert_eq!(asked, is_asked, "is asked if something may be gained");
        let Some(outcome) = outcome else { return };
        if asks_memory && rooms.is_err() {
            outcome.expect_err("no memory");
            return;
        }
        let done = outcome.expect("nothing was refused");
        let Some(rooms) = rooms.ok().filter(|_| asks_memory) else {
            assert!(!done, "not wanted");
            return;
        };
        let rooms = &rooms[..first_blocks(&rooms, bytes.len())];
        let places = self.owners.lent(source, rooms);
        let copy = Model::of(&bytes, &places);
        let gains = copy.retained(&self.owners) < retained;
        assert_eq!(done, gains, "the copy keeps less in use");
        if gains {
            self.models[x] = copy;
        }
    }
}
