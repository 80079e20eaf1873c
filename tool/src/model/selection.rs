//! Which updates the user wants to see, by pod, container and port.

use std::collections::HashMap;

use super::{ExecEvent, ExitEvent, OwnerFilter, ProcessId, Session, Update};

/// Selects updates by owner and by port, and ends of processes by whether their exec was shown.
#[derive(Debug, Default)]
pub struct Selection {
    /// By pod and container.
    owners: OwnerFilter,
    /// Sessions to this port of their target.
    port: Option<u16>,
    /// Show the end of a process only if its exec was shown.
    ends_of_shown: bool,
    /// The running processes with a shown exec: their start times by pid. Bounded by the node's
    /// number of processes; empty unless `ends_of_shown`.
    shown: HashMap<u32, u64>,
}

impl Selection {
    /// `ends_of_shown`: show the end of a process only if its exec was shown.
    #[must_use]
    pub fn new(owners: OwnerFilter, port: Option<u16>, ends_of_shown: bool) -> Self {
        Self { owners, port, ends_of_shown, shown: HashMap::new() }
    }

    /// Whether an update is to be shown. Remembers the process of each exec that is.
    pub fn admits(&mut self, update: &Update) -> bool {
        match update {
            Update::Exec(exec, owner) => {
                let is_wanted = self.owners.matches(owner);
                if is_wanted {
                    self.remember(exec);
                }
                is_wanted
            }
            Update::Exit(exit) => self.wants_exit(exit),
            Update::Session(session) => self.wants_session(session),
            _ => true,
        }
    }

    /// Whether every session is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.port.is_none() && self.owners.is_empty()
    }

    /// Whether a session is one that the user wants to see.
    #[must_use]
    pub fn wants_session(&self, session: &Session) -> bool {
        self.port.is_none_or(|port| session.port == port)
            && self.owners.matches(&session.target.owner)
    }

    fn remember(&mut self, exec: &ExecEvent) {
        if self.ends_of_shown {
            let ProcessId { pid, start_ns } = exec.process();
            self.shown.insert(pid, start_ns);
        }
    }

    /// Without a filter every end is shown, even if the process started before pfsnoop.
    fn wants_exit(&mut self, exit: &ExitEvent) -> bool {
        !self.ends_of_shown || self.shown.remove(&exit.pid) == Some(exit.start_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{End, Owner};

    fn exec(start_ns: u64) -> Update {
        Update::Exec(
            Box::new(ExecEvent { start_ns, pid: 7, ..ExecEvent::default() }),
            Owner::default(),
        )
    }

    fn exit(pid: u32, start_ns: u64) -> Update {
        let end = End::Exited(0);
        let comm = b"socat"[..].into();
        Update::Exit(ExitEvent {
            time_ns: 9,
            start_ns,
            pid,
            ppid: 1,
            uid: 0,
            comm,
            netns: None,
            end,
        })
    }

    #[test]
    fn an_end_is_matched_by_process_and_not_by_name() {
        let mut selection = Selection { ends_of_shown: true, ..Selection::default() };
        assert!(selection.admits(&exec(1)));
        assert!(!selection.admits(&exit(8, 1)), "its exec was not shown");
        assert!(selection.admits(&exit(7, 1)), "it may end under another name");
        assert!(!selection.admits(&exit(7, 1)), "it ends once");
        selection.admits(&exec(2));
        assert!(!selection.admits(&exit(7, 3)), "another process with that pid");
    }

    #[test]
    fn without_a_filter_every_end_is_shown() {
        assert!(Selection::default().admits(&exit(1, 1)));
    }

    #[test]
    fn an_exec_that_was_not_shown_has_no_end() {
        let owners = OwnerFilter { container: Some("web".to_owned()), ..OwnerFilter::default() };
        let mut selection = Selection { owners, ends_of_shown: true, ..Selection::default() };
        assert!(!selection.admits(&exec(1)) && !selection.admits(&exit(7, 1)));
    }
}
