//! A table under test.

use std::collections::BTreeSet;

use super::events::NETNS;
use crate::model::{Closed, Destination, Event, LookedUp, Lookup, NamedProcess, Session, State};
use crate::sessions::SessionTable;

/// A table, and everything that it reported.
#[derive(Default)]
pub(super) struct Run {
    pub(super) sessions: SessionTable,
    pub(super) reported: Vec<Session>,
    /// Processes that cannot be entered.
    pub(super) gone: Vec<u32>,
}

impl Run {
    pub(super) fn apply(&mut self, event: impl Into<Event>) -> &mut Self {
        let event = event.into();
        let looked_up = self.sessions.lookup_for(&event).map(|lookup| match lookup {
            Lookup::Process(NamedProcess { pid, .. }) => {
                Destination { pid: Some(pid), netns: Some(NETNS.into()), ..Destination::default() }
            }
            Lookup::Netns(netns) => {
                Destination { netns: Some(netns.into()), ..Destination::default() }
            }
        });
        let exe = self.sessions.forwarder_of(&event).map(|(pid, _)| format!("/exe/{pid}"));
        let forwarder_exe = exe.map(|exe| exe.into_bytes().into());
        let looked_up = LookedUp { destination: looked_up, forwarder_exe };
        let gone = self.gone.clone();
        let changed = self.sessions.apply(&event, looked_up, |name| !gone.contains(&name.pid));
        self.reported.extend(changed);
        self
    }

    pub(super) fn at(&mut self, time_ns: u64) -> &mut Self {
        self.reported.extend(self.sessions.expire(time_ns));
        self
    }

    pub(super) fn states(&self) -> Vec<&'static str> {
        self.reported.iter().map(|session| session.state.name()).collect()
    }

    /// The end of the only session. Nothing may be left of it.
    pub(super) fn end(&self) -> Closed {
        assert!(self.is_empty(), "{:?}", self.sessions);
        let ids: BTreeSet<_> = self.reported.iter().map(|session| &session.id).collect();
        assert_eq!(ids.len(), 1, "one session: {ids:?}");
        match &self.reported.last().expect("a record").state {
            State::Closed(closed) => closed.clone(),
            state => panic!("not over: {state:?}"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sessions.index.sizes() == [0; 4]
    }
}
