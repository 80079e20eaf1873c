//! A session from the store.

use jiff::Timestamp;

use super::Session;

/// A session that was stored, perhaps on another node or before the last boot. Its wall-clock time counts,
/// and not the time since the boot in the session.
#[derive(Clone, Debug)]
pub struct PastSession {
    /// The session in the last state that was stored.
    pub session: Session,
    /// When it entered this state.
    pub time: Timestamp,
}
