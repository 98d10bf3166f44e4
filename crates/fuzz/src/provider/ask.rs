//! Who asks a provider.

use std::io::{ErrorKind, Write};
use std::mem::take;

use bytesbuf::BytesView;
use bytesbuf::mem::{BudgetedMemory, Memory, ReserveError};

use super::Machine;
use super::liar::{Liar, Reply, Shape};
use crate::amount::{Amount, content};
use crate::attempt::call;
use crate::memory::CANNOT;
use crate::model_buf::ModelBuf;

/// What the provider must have been asked for, each time, and whether the request is met.
pub(super) type Asked = (Vec<usize>, bool);

impl Machine {
    /// What the provider must have been asked for, and whether the request is met.
    pub(super) fn reserve(
        &mut self,
        liar: &Liar,
        memory: &dyn Memory,
        shape: Shape,
        amount: Amount,
        tries: bool,
    ) -> Asked {
        let remaining = self.model.remaining();
        let wanted = amount.of(remaining);
        let missing = wanted.saturating_sub(remaining);
        let overflows = self.model.capacity().checked_add(missing).is_none();
        let buf = &mut self.buf;
        let (reply, times) = match missing {
            0 => (Reply::Buf(Vec::new(), Vec::new()), 0),
            _ if overflows && tries => (Reply::Error, 0),
            _ if overflows => (Reply::Panic("capacity would exceed"), 0),
            _ => accepted(liar.reply(shape, missing, tries), missing, tries),
        };
        let panic = if let Reply::Panic(text) = reply {
            Some(text)
        } else {
            None
        };
        let outcome = call(panic, || {
            if tries {
                buf.try_reserve(wanted, memory)
            } else {
                buf.reserve(wanted, memory);
                Ok(())
            }
        });
        let is_met = finish(&reply, outcome);
        if let Reply::Buf(_, rooms) = reply {
            self.model.rooms.extend(rooms);
        }
        (vec![missing; times], is_met)
    }

    /// The memory itself: what it gives, right or wrong, becomes the buffer.
    pub(super) fn of_memory(
        &mut self,
        liar: &Liar,
        memory: &dyn Memory,
        shape: Shape,
        bytes: usize,
        tries: bool,
    ) -> Asked {
        let (reply, times) = liar.reply(shape, bytes, tries);
        let panic = if let Reply::Panic(text) = reply {
            Some(text)
        } else {
            None
        };
        let outcome = call(panic, || {
            if tries {
                memory.try_reserve(bytes)
            } else {
                Ok(memory.reserve(bytes))
            }
        });
        let is_met = match (reply, outcome) {
            (Reply::Buf(data, rooms), Some(Ok(buf))) => {
                let mut model = ModelBuf {
                    data: Vec::new(),
                    rooms: rooms.into(),
                };
                model.fill(&data);
                (self.buf, self.model) = (buf, model);
                true
            }
            (Reply::Error, Some(Err(_))) | (Reply::Panic(_), None) => false,
            (_, outcome) => panic!("{outcome:?}"),
        };
        (vec![bytes; times], is_met)
    }

    pub(super) fn copy(
        &mut self,
        liar: &Liar,
        memory: &dyn Memory,
        shape: Shape,
        amount: Amount,
    ) -> Asked {
        let bytes = content(200, amount.of(0) % 600);
        let (reply, times) = if bytes.is_empty() {
            (Reply::Buf(Vec::new(), Vec::new()), 0)
        } else {
            accepted(liar.reply(shape, bytes.len(), false), bytes.len(), false)
        };
        let panic = if let Reply::Panic(text) = reply {
            Some(text)
        } else {
            None
        };
        let asked = vec![bytes.len(); times];
        let Some(view) = call(panic, || BytesView::copied_from_slice(&bytes, &memory)) else {
            return (asked, false);
        };
        (self.view, self.content) = (view, bytes);
        (asked, true)
    }

    pub(super) fn detach(
        &mut self,
        liar: &Liar,
        memory: &dyn Memory,
        shape: Shape,
        tries: bool,
    ) -> Asked {
        let len = self.content.len();
        let view = &mut self.view;
        let (reply, times) = match len {
            0 => (Reply::Buf(Vec::new(), Vec::new()), 0),
            _ => accepted(liar.reply(shape, len, tries), len, tries),
        };
        let panic = if let Reply::Panic(text) = reply {
            Some(text)
        } else {
            None
        };
        let outcome = call(panic, || {
            if tries {
                view.try_detach(memory)
            } else {
                view.detach(memory);
                Ok(())
            }
        });
        (vec![len; times], finish(&reply, outcome))
    }

    pub(super) fn write(
        &mut self,
        liar: &Liar,
        memory: &dyn Memory,
        shape: Shape,
        amount: Amount,
    ) -> Asked {
        let remaining = self.model.remaining();
        let bytes = content(9, amount.about(remaining) % 2000);
        // As the writer's documentation has it.
        let wanted = if self.model.capacity() == 0 {
            4096
        } else {
            65_536
        };
        let (reply, times) = if bytes.len() <= remaining {
            (Reply::Buf(Vec::new(), Vec::new()), 0)
        } else {
            accepted(
                liar.reply(shape, wanted - remaining, true),
                wanted - remaining,
                true,
            )
        };
        let panic = if let Reply::Panic(text) = reply {
            Some(text)
        } else {
            None
        };
        let mut writer = take(&mut self.buf).into_writer(memory);
        let outcome = call(panic, || writer.write(&bytes));
        self.buf = writer.into_inner();
        let is_met = match outcome {
            Some(Ok(written)) => {
                assert_eq!(written, bytes.len());
                let Reply::Buf(_, rooms) = reply else {
                    panic!("written without room")
                };
                self.model.rooms.extend(rooms);
                self.model.fill(&bytes);
                true
            }
            Some(Err(error)) => {
                assert!(matches!(reply, Reply::Error), "{error}");
                assert_eq!(error.kind(), ErrorKind::OutOfMemory);
                false
            }
            None => false,
        };
        (vec![wanted - remaining.min(wanted); times], is_met)
    }

    /// Through a budget: charged is what was asked for, then what is more than that.
    pub(super) fn charged(
        &mut self,
        liar: &Liar,
        memory: Box<dyn Memory>,
        shape: Shape,
        amount: Amount,
    ) -> Asked {
        let available = self.budget.available();
        let bytes = amount.of(available);
        let (mut reply, times) = if bytes > available {
            (Reply::Error, 0)
        } else {
            accepted(liar.reply(shape, bytes, true), bytes, true)
        };
        if let Reply::Buf(_, rooms) = &reply {
            if rooms.iter().map(|room| room.len).sum::<usize>() > available {
                reply = Reply::Error;
            }
        }
        let panic = if let Reply::Panic(text) = reply {
            Some(text)
        } else {
            None
        };
        let memory = BudgetedMemory::new(memory, &self.budget);
        let outcome = call(panic, || memory.try_reserve(bytes));
        let is_met = match (reply, outcome) {
            (Reply::Buf(_, rooms), Some(Ok(buf))) => {
                self.model = ModelBuf {
                    data: Vec::new(),
                    rooms: rooms.into(),
                };
                self.buf = buf;
                true
            }
            (Reply::Error, Some(Err(_))) | (Reply::Panic(_), None) => false,
            (_, outcome) => panic!("{outcome:?}"),
        };
        (vec![bytes; times], is_met)
    }
}

/// The reply to a request for `missing` bytes, after it was looked at.
fn accepted((reply, times): (Reply, usize), missing: usize, tries: bool) -> (Reply, usize) {
    let reply = match reply {
        Reply::Buf(data, rooms)
            if !data.is_empty() || rooms.iter().map(|room| room.len).sum::<usize>() < missing =>
        {
            if tries {
                Reply::Error
            } else {
                Reply::Panic(CANNOT)
            }
        }
        reply => reply,
    };
    (reply, times)
}

/// Whether a request was met, which must be as the reply says.
fn finish(reply: &Reply, outcome: Option<Result<(), ReserveError>>) -> bool {
    match (reply, outcome) {
        (Reply::Buf(..), Some(Ok(()))) => true,
        (Reply::Error, Some(Err(_))) | (Reply::Panic(_), None) => false,
        (_, outcome) => panic!("{outcome:?}"),
    }
}
