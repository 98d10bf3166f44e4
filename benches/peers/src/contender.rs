//! One peer at one workload, on a thread of its own.
//!
//! Every case gets its own thread, for two reasons: bytesbuf 0.4.2 and 0.12 panic when
//! both run on one thread of a process ("duplicate registration of event"), and no peer
//! finds thread-local state that another one warmed up or filled.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::peer::Peer;
use crate::workload::{Case, Outcome};

/// Iterations before each batch that are not counted, as a part of it: after the other
/// peers had the caches.
const WARM_UP: u64 = 20;

enum Command {
    Run(u64),
    Produce,
}

enum Reply {
    Ran(Outcome),
    Produced(Vec<u8>),
}

/// A running thread with a job, warm.
#[derive(Debug)]
pub struct Contender {
    /// Who.
    pub peer: Peer,
    name: String,
    commands: Option<Sender<Command>>,
    replies: Receiver<Reply>,
    thread: Option<JoinHandle<()>>,
}

impl Contender {
    /// Starts the thread and makes the job on it.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(workload: &str, case: &Case) -> Result<Self> {
        let (commands, incoming) = channel();
        let (reply, replies) = channel();
        let name = format!("{workload}, {}", case.peer.label());
        let case = case.clone();
        let peer = case.peer;
        let thread = thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                let mut job = case.job();
                for command in incoming {
                    let answer = match command {
                        Command::Run(iters) => {
                            job.run(iters / WARM_UP + 1);
                            Reply::Ran(job.run(iters))
                        }
                        Command::Produce => Reply::Produced(job.produce()),
                    };
                    if reply.send(answer).is_err() {
                        return;
                    }
                }
            })
            .with_context(|| format!("{name}: no thread"))?;
        Ok(Self {
            peer,
            name,
            commands: Some(commands),
            replies,
            thread: Some(thread),
        })
    }

    /// Runs a batch.
    ///
    /// # Errors
    /// The peer panicked.
    pub fn run(&self, iters: u64) -> Result<Outcome> {
        match self.ask(Command::Run(iters))? {
            Reply::Ran(outcome) => Ok(outcome),
            Reply::Produced(_) => Err(anyhow!("{}: answered another question", self.name)),
        }
    }

    /// What the workload produces.
    ///
    /// # Errors
    /// The peer panicked.
    pub fn produce(&self) -> Result<Vec<u8>> {
        match self.ask(Command::Produce)? {
            Reply::Produced(bytes) => Ok(bytes),
            Reply::Ran(_) => Err(anyhow!("{}: answered another question", self.name)),
        }
    }

    /// How many iterations take about `batch`; at least one.
    ///
    /// # Errors
    /// The peer panicked.
    pub fn calibrate(&self, batch: Duration) -> Result<u64> {
        let mut iters = 1;
        loop {
            let time = self.run(iters)?.time.max(Duration::from_nanos(1));
            if time >= batch / 4 {
                let scaled = iters as f64 * batch.as_secs_f64() / time.as_secs_f64();
                return Ok((scaled as u64).max(1));
            }
            let factor = (batch.as_secs_f64() / 2.0 / time.as_secs_f64()).clamp(2.0, 100.0);
            iters = (iters as f64 * factor) as u64;
        }
    }

    fn ask(&self, command: Command) -> Result<Reply> {
        self.commands
            .as_ref()
            .and_then(|commands| commands.send(command).ok())
            .and_then(|()| self.replies.recv().ok())
            .with_context(|| format!("{}: panicked", self.name))
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the peer was reported where it was asked.
            let _ = thread.join();
        }
    }
}
