//! Which stored sessions the user wants to see.

use super::{Outcome, PodName, Via};

/// Which stored sessions the user wants to see. A session must match everything that is set.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    /// Sessions that ended, or changed last, at this time or later, in ns since 1970. A session that is
    /// open passes.
    pub since_ns: Option<i64>,
    /// Sessions that ended, or changed last, at this time or earlier.
    pub until_ns: Option<i64>,
    /// Into this pod.
    pub pod: Option<PodName>,
    /// Into a pod of this namespace.
    pub namespace: Option<String>,
    /// Into this container: its name, or the beginning of its id.
    pub container: Option<String>,
    /// To this port.
    pub port: Option<u16>,
    /// With this outcome.
    pub outcome: Option<OutcomeFilter>,
    /// By this dialer.
    pub via: Option<Via>,
    /// Of forwarders with this name (comm).
    pub forwarder: Option<String>,
}

/// Which outcomes the user wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeFilter {
    /// This one.
    Is(Outcome),
    /// Any but `ok`.
    NotOk,
}
