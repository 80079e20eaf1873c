//! Every transition, with events that are late, lost, or another process's.

mod events;
mod helpers;
mod losses;
mod natives;

use std::collections::BTreeSet;

use super::deadlines::GRACE_NS;
use super::followed::MAX_OPEN;
use super::*;
use crate::trace::{Closed, State};
use events::NETNS;

/// The state machine, and everything that it told.
#[derive(Default)]
struct Run {
    sessions: Sessions,
    told: Vec<Session>,
    /// Processes that cannot be entered.
    gone: Vec<u32>,
}

impl Run {
    fn take(&mut self, event: impl Into<Event>) -> &mut Self {
        let event = event.into();
        let whose = self.sessions.whom(&event).map(|whom| match whom {
            Whom::Pid(pid) => {
                Destination { pid: Some(pid), netns: Some(NETNS.into()), ..Destination::default() }
            }
            Whom::Netns(netns) => {
                Destination { netns: Some(netns.into()), ..Destination::default() }
            }
        });
        let gone = self.gone.clone();
        self.told.extend(self.sessions.take(&event, whose, |pid| !gone.contains(&pid)));
        self
    }

    fn at(&mut self, time_ns: u64) -> &mut Self {
        self.told.extend(self.sessions.expire(time_ns));
        self
    }

    fn states(&self) -> Vec<&'static str> {
        let name = |session: &Session| match session.state {
            State::Started => "started",
            State::Connected => "connected",
            State::Closed(_) => "closed",
        };
        self.told.iter().map(name).collect()
    }

    /// The one session's end; nothing is left of it.
    fn end(&self) -> Closed {
        assert!(self.is_empty(), "{:?}", self.sessions);
        let ids: BTreeSet<_> = self.told.iter().map(|session| &session.id).collect();
        assert_eq!(ids.len(), 1, "one session: {ids:?}");
        match &self.told.last().expect("a record").state {
            State::Closed(closed) => closed.clone(),
            state => panic!("not over: {state:?}"),
        }
    }

    fn is_empty(&self) -> bool {
        self.sessions.followed.sizes() == [0; 4]
    }
}
