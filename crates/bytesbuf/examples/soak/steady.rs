//! After the mix: the same pool under a load that no longer changes. Once it is warm,
//! its messages need the allocator no more.
//!
//! ```text
//!  thread 0 ──▶ thread 1 ──▶ thread 2 ──▶ thread 3 ──▶ thread 0
//! ```
//! Each thread writes a message, sends it to the next, receives one, puts it between a
//! header and a trailer, checks and drops it: what it releases was rented by another,
//! and as many are in flight all the time.
//!
//! Messages fit into one block. A longer one is a list, and of lists a thread keeps the
//! memory of the last one only (`docs/design/views-and-buffers.md`): handed from thread
//! to thread, they go through the allocator.

use std::alloc::System;
use std::hint::black_box;
use std::process;
use std::sync::Barrier;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use bytesbuf::mem::GlobalPool;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use crate::message::Message;
use crate::random::Random;

/// Counts the allocations of the whole process.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Messages that each thread writes before anything is counted: enough for each size
/// to come by many times, on each thread.
const WARM_UP: u64 = 10_000;

/// Bytes of a message at most: well within the largest block of `reserve`.
const LARGEST: usize = 60 << 10;

/// Messages that wait for a thread at most. A thread is at most one ahead of the next.
const INBOX: usize = 2;

/// Allocations that `threads` may make however many messages there are. Where idle
/// blocks lie is up to chance: now and then there are more full magazines than ever
/// before, and the next is made. Two for each thread and size of blocks.
pub(crate) const fn may_allocate(threads: usize) -> usize {
    2 * CLASSES * threads
}

/// Sizes of blocks of the pool, from 1 KiB to 256 KiB.
const CLASSES: usize = 5;

/// What the steady load came to.
#[derive(Debug)]
pub(crate) struct Steady {
    /// Messages that were written while allocations were counted.
    pub(crate) messages: u64,
    /// Allocations of the process meanwhile, with those that grew in place.
    pub(crate) allocations: usize,
    /// Those before, until it was warm: some, if they are counted at all.
    pub(crate) before: usize,
    /// Messages that did not show what was written.
    pub(crate) differing: u64,
}

/// Has so many threads write so many messages each. `wasteful`: one of
/// them allocates for each.
pub(crate) fn run(
    pool: &GlobalPool,
    threads: usize,
    messages: u64,
    seed: u64,
    wasteful: bool,
) -> Steady {
    let line = Barrier::new(threads + 1);
    let warming_up = Region::new(ALLOCATOR);
    let (to, from): (Vec<_>, Vec<_>) = (0..threads).map(|_| sync_channel(INBOX)).unzip();
    let mut to = to;
    to.rotate_left(1);
    thread::scope(|scope| {
        let ring: Vec<_> = to
            .into_iter()
            .zip(from)
            .enumerate()
            .map(|(index, (to, from))| {
                let mut member = Member {
                    pool: pool.clone(),
                    random: Random::new(seed.wrapping_mul(1 << 32) + index as u64),
                    to,
                    from,
                    scratch: vec![0; LARGEST],
                    differing: 0,
                };
                let line = &line;
                scope.spawn(move || {
                    let _or_end = OrEnd;
                    (0..WARM_UP).for_each(|_| member.pass());
                    line.wait();
                    line.wait();
                    for message in 0..messages {
                        member.pass();
                        if wasteful && index == 0 {
                            drop(black_box(Box::new(message)));
                        }
                    }
                    line.wait();
                    line.wait();
                    member.differing
                })
            })
            .collect();
        line.wait();
        let before = warming_up.change();
        let counted = Region::new(ALLOCATOR);
        line.wait();
        line.wait();
        let counted = counted.change();
        line.wait();
        let differing = ring.into_iter().map(|thread| thread.join());
        Steady {
            messages: threads as u64 * messages,
            allocations: counted.allocations + counted.reallocations,
            before: before.allocations + before.reallocations,
            differing: differing
                .map(|differing| differing.expect("a thread of the ring panicked"))
                .sum(),
        }
    })
}

/// Ends the process if its thread panics: the others would wait for it for ever.
struct OrEnd;

impl Drop for OrEnd {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("soak: a thread of the steady load panicked");
            process::exit(1);
        }
    }
}

struct Member {
    pool: GlobalPool,
    random: Random,
    to: SyncSender<Message>,
    from: Receiver<Message>,
    /// What a message is written from.
    scratch: Vec<u8>,
    differing: u64,
}

impl Member {
    /// Passes one message on, and takes one.
    fn pass(&mut self) {
        let bytes = self.random.size().min(LARGEST);
        let content = &mut self.scratch[..bytes];
        self.random.fill(content);
        let mut buf = self.pool.reserve(bytes);
        buf.put_slice(&*content);
        let message = Message::new(buf.consume_all(), content);
        self.to.send(message).expect("the next is there as long");
        let received = self.from.recv().expect("the one before is there as long");
        self.differing += u64::from(!received.framed(&self.pool).is_intact());
    }
}
