//! A change of a session, on its way to the store.

use crate::model::{Session, State};

/// A session in one of its states.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) session: Session,
    /// When it entered this state: ns since 1970.
    pub(super) time_ns: i64,
    /// The run of the monitor that saw it: the first is 1.
    pub(super) run: u64,
}

impl Record {
    /// Bytes of memory that it takes, about.
    pub(super) fn memory(&self) -> usize {
        let Session { id, forwarder, target, .. } = &self.session;
        let owner = &target.owner;
        let pod = owner.pod.as_ref();
        let container = owner.container.as_ref();
        let texts = [
            id.len(),
            forwarder.comm.len(),
            forwarder.exe.as_ref().map_or(0, |exe| exe.len()),
            target.comm.as_ref().map_or(0, |comm| comm.len()),
            target.placement.memory(),
            pod.map_or(0, |pod| pod.namespace.len() + pod.name.len() + pod.uid.len()),
            container.map_or(0, |container| {
                container.id.len() + container.name.as_ref().map_or(0, String::len)
            }),
        ];
        size_of::<Self>() + texts.iter().sum::<usize>()
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.session.state, State::Started | State::Connected)
    }
}
