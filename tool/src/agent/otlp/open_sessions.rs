//! When each open session started and connected.

use std::collections::HashMap;

use pfsnoop_common::shares;

use crate::model::{Closed, Session, State};

/// As many sessions as the monitor follows at once.
const MAX_OPEN: usize = shares::SESSIONS.all as usize;

/// The times of a session, `CLOCK_BOOTTIME`, ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the unit is part of each name")]
pub(super) struct Times {
    pub(super) started_ns: u64,
    pub(super) connected_ns: Option<u64>,
    pub(super) ended_ns: u64,
}

/// The open sessions by id.
#[derive(Debug, Default)]
pub(super) struct OpenSessions {
    open: HashMap<String, (u64, Option<u64>)>,
}

impl OpenSessions {
    /// A new monitor follows none of the sessions that were open.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// Notes the session's state. If that is its last one, returns its times.
    pub(super) fn note(&mut self, session: &Session) -> Option<Times> {
        let Session { id, time_ns, state, .. } = session;
        match state {
            State::Started => {
                if self.open.len() < MAX_OPEN {
                    self.open.insert(id.clone(), (*time_ns, None));
                }
                None
            }
            State::Connected => {
                if let Some((_, connected_ns)) = self.open.get_mut(id) {
                    *connected_ns = Some(*time_ns);
                }
                None
            }
            State::Closed(Closed { duration_ns, .. }) => {
                Some(self.end(id, *time_ns, duration_ns.unwrap_or(0)))
            }
            State::Lost => Some(self.end(id, *time_ns, 0)),
        }
    }

    /// A session whose start was not noted started `duration_ns` before its end.
    fn end(&mut self, id: &str, ended_ns: u64, duration_ns: u64) -> Times {
        let unknown = (ended_ns.saturating_sub(duration_ns), None);
        let (started_ns, connected_ns) = self.open.remove(id).unwrap_or(unknown);
        Times { started_ns, connected_ns, ended_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;

    fn session(id: usize, time_ns: u64, state: State) -> Session {
        let session = Session::example(Closed::example(Outcome::Ok));
        Session { id: id.to_string(), time_ns, state, ..session }
    }

    #[test]
    fn the_last_state_has_the_times_of_all() {
        let mut open = OpenSessions::default();
        assert_eq!(open.note(&session(1, 10, State::Started)), None);
        assert_eq!(open.note(&session(1, 20, State::Connected)), None);
        let times = Times { started_ns: 10, connected_ns: Some(20), ended_ns: 50 };
        assert_eq!(open.note(&session(1, 50, State::Lost)), Some(times));
        let closed = Closed { duration_ns: Some(30), ..Closed::example(Outcome::Ok) };
        let times = Times { started_ns: 20, connected_ns: None, ended_ns: 50 };
        assert_eq!(open.note(&session(2, 50, State::Closed(closed))), Some(times), "not noted");
    }

    #[test]
    fn no_more_are_kept_than_can_be_open() {
        let mut open = OpenSessions::default();
        for id in 0..2 * MAX_OPEN {
            open.note(&session(id, 1, State::Started));
        }
        assert_eq!(open.open.len(), MAX_OPEN);
    }
}
