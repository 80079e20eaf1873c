//! What the child is asked, and what it answers: one JSON object a line.

use serde::{Deserialize, Serialize};

use crate::doctor::facts::daemons::Daemon;

/// A question about one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Question {
    /// What the daemon with this pid and name shows.
    Daemon {
        /// The pid.
        pid: u32,
        /// The comm.
        name: String,
    },
    /// Whether the process is a socat of a forward.
    Socat {
        /// The pid.
        pid: u32,
    },
}

/// The answer to a question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The daemon; `None` if it has ended.
    Daemon(Box<Option<Daemon>>),
    /// The port that socat connects to; `None` if it is no socat of a forward.
    Socat(Option<u16>),
}
