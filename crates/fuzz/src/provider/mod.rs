//! A buffer and a view, and providers that answer a request with too little, too much,
//! data, blocks at odd addresses, an error or a panic half way.
//!
//! Each request ends as documented. One that fails leaves everything as it was: values,
//! blocks that are out, bytes charged.

mod ask;
mod liar;

use arbitrary::Arbitrary;
use bytesbuf::mem::Budget;
use bytesbuf::{BytesBuf, BytesView};

use self::liar::{Liar, Script, Shape};
use crate::Program;
use crate::amount::{Amount, content};
use crate::attempt::call;
use crate::lender::Tally;
use crate::model_buf::{ModelBuf, check_content};

/// A program for hostile providers.
#[derive(Arbitrary, Debug)]
pub struct Hostile {
    #[arbitrary(with = crate::steps)]
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Ask {
        way: Way,
        shape: Shape,
        amount: Amount,
        script: Script,
    },
    Put(Amount, u8),
    PutView,
    Consume(Amount),
    SplitOffRemaining(Amount),
    Narrow(Amount, Amount),
}

/// Who asks the provider.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Way {
    Reserve,
    TryReserve,
    MemoryReserve,
    MemoryTryReserve,
    Copy,
    Detach,
    TryDetach,
    Write,
    Charged,
}

const LIMIT: usize = 700;
/// Content and room above this number of bytes is thrown away.
const LARGE: usize = 4_000;

struct Machine {
    tally: Tally,
    budget: Budget,
    buf: BytesBuf,
    model: ModelBuf,
    view: BytesView,
    content: Vec<u8>,
}

impl Program for Hostile {
    fn run(self) {
        let (tally, budget) = (Tally::default(), Budget::new(LIMIT));
        let mut machine = Machine {
            tally: tally.clone(),
            budget: budget.clone(),
            buf: BytesBuf::new(),
            model: ModelBuf::default(),
            view: BytesView::new(),
            content: Vec::new(),
        };
        for step in self.steps {
            machine.step(step);
            machine.check();
        }
        drop(machine);
        assert_eq!(
            (tally.out(), budget.in_use()),
            (0, 0),
            "blocks and bytes that are lost"
        );
    }
}

impl Machine {
    fn check(&mut self) {
        self.model.check(&mut self.buf);
        check_content(&self.view, &self.content);
        if self.model.capacity() + self.content.len() > LARGE {
            (self.buf, self.model) = Default::default();
            (self.view, self.content) = Default::default();
        }
    }

    fn step(&mut self, step: Step) {
        let (buf, model) = (&mut self.buf, &mut self.model);
        match step {
            Step::Ask {
                way,
                shape,
                amount,
                script,
            } => self.ask(way, shape, amount, script),
            Step::Put(amount, seed) => {
                let bytes = content(seed, amount.about(model.remaining()));
                if call(model.no_room(bytes.len()), || {
                    buf.put_slice(bytes.as_slice());
                })
                .is_some()
                {
                    model.fill(&bytes);
                }
            }
            Step::PutView => {
                buf.put_bytes(self.view.clone());
                model.data.extend_from_slice(&self.content);
            }
            Step::Consume(amount) => {
                let len = amount.of(model.data.len()).min(model.data.len());
                (self.view, self.content) = (buf.consume(len), model.consume(len));
            }
            Step::SplitOffRemaining(amount) => {
                let count = amount.of(model.remaining()).min(model.remaining());
                let mut split = buf.split_off_remaining(count);
                model.split_off(count).check(&mut split);
            }
            Step::Narrow(start, end) => {
                let end = end.of(self.content.len()).min(self.content.len());
                let start = start.of(end).min(end);
                self.view = self.view.range(start..end);
                self.content = self.content[start..end].to_vec();
            }
        }
    }

    fn ask(&mut self, way: Way, shape: Shape, amount: Amount, script: Script) {
        let liar = Liar::new(script, &self.tally);
        let memory = liar.memory(shape);
        let before = (self.tally.out(), self.budget.in_use());
        let asked = match way {
            Way::Reserve => self.reserve(&liar, &memory, shape, amount, false),
            Way::TryReserve => self.reserve(&liar, &memory, shape, amount, true),
            Way::MemoryReserve | Way::MemoryTryReserve => self.of_memory(
                &liar,
                &memory,
                shape,
                amount.of(0),
                matches!(way, Way::MemoryTryReserve),
            ),
            Way::Copy => self.copy(&liar, &memory, shape, amount),
            Way::Detach => self.detach(&liar, &memory, shape, false),
            Way::TryDetach => self.detach(&liar, &memory, shape, true),
            Way::Write => self.write(&liar, &memory, shape, amount),
            Way::Charged => self.charged(&liar, memory, shape, amount),
        };
        let (asked, is_met) = asked;
        assert_eq!(liar.asked(), asked, "asked for");
        if !is_met {
            // What was there is still there, by `check`.
            assert_eq!(
                (self.tally.out(), self.budget.in_use()),
                before,
                "lost, or let go of"
            );
        }
    }
}
