//! Why a run did not succeed, and the exit status that goes with it.

use std::fmt;
use std::io;

use crate::net::IO_TIMEOUT;

/// Exit status when a digest differs or a transfer broke.
const BROKEN: u8 = 1;
/// Exit status when the run could not begin: arguments, file, port.
const UNUSABLE: u8 = 2;

/// One line for the user, and an exit status.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    message: String,
    status: u8,
}

impl Failure {
    /// The run began and did not end well.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: BROKEN,
        }
    }

    /// The run cannot begin with what the user gave.
    pub(crate) fn unusable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: UNUSABLE,
        }
    }

    /// Exit status of the process.
    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    /// The same failure, said to have happened to `who`.
    pub(crate) fn of(self, who: &str) -> Self {
        Self {
            message: format!("{who}: {}", self.message),
            ..self
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Says what was going on when an I/O error came.
pub(crate) trait During<T> {
    /// Turns an I/O error into a broken transfer while `doing`.
    fn during(self, doing: &str) -> Result<T, Failure>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| match error.kind() {
            // What a socket timeout is called depends on the system.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::broken(format!(
                "{doing}: no progress for {} seconds",
                IO_TIMEOUT.as_secs()
            )),
            _ => Failure::broken(format!("{doing}: {error}")),
        })
    }
}
