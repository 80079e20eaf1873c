//! A target that was not found.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Client, Destination};
use crate::target::FindError;

/// What a client asked for, and what has no target now: its pod may have ended.
#[derive(Debug)]
pub struct MissingTarget {
    /// Where the connection was to lead, as far as that is known.
    pub destination: Destination,
    /// The id of the sandbox or the container.
    pub id: Arc<str>,
    /// The port.
    pub port: u16,
    /// Who asked.
    pub client: Arc<Client>,
    /// How long the lookup took.
    pub duration: Duration,
    /// Why there is no target.
    pub error: FindError,
}
