//! What the commands show.

use super::Columns;

/// What a command shows. Text for people differs with it; JSON does not.
#[derive(Clone, Debug)]
pub enum View {
    /// Execs, in these columns.
    Execs(Columns),
    /// The sessions of the node.
    Sessions,
    /// Stored sessions.
    History {
        /// Further ones come.
        is_endless: bool,
        /// Rows have more columns.
        is_wide: bool,
    },
    /// Sums of stored sessions.
    HistorySums,
    /// The connections of a forward, in kubectl's words.
    Forward,
    /// The connections of an endpoint, with their clients.
    Serve,
    /// The findings of the doctor.
    Findings,
    /// The targets that can be forwarded to.
    Targets,
}
