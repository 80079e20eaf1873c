//! Writes a session as a row.

use rusqlite::{Connection, params};

use super::codes::{OUTCOMES, VIAS, code, signed, state_code};
use super::record::Record;
use super::targets::Targets;
use super::texts::Texts;
use crate::model::{End, State};
use crate::output;

/// A session of the monitor has no client, local ports, stderr and own error: these belong to forwards
/// of pfsnoop itself.
const INSERT: &str = "INSERT OR REPLACE INTO session (id, run, session_id, state, time_ns, via, \
     forwarder_pid, forwarder_comm, forwarder_uid, forwarder_exe, helper_pid, helper_start_ns, target, \
     target_pid, target_comm, netns, is_claimed, port, address, outcome, reason, exit_code, signal, \
     bytes_to_pod, bytes_from_pod, connect_ns, duration_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
     ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// What rows refer to.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    texts: Texts,
    targets: Targets,
}

impl Dictionary {
    /// Writes a session under this number.
    pub(super) fn insert(
        &mut self,
        connection: &Connection,
        number: i64,
        run: i64,
        record: &Record,
    ) -> rusqlite::Result<()> {
        let session = &record.session;
        let target = &session.target;
        let closed = match &session.state {
            State::Closed(closed) => Some(closed),
            State::Started | State::Connected | State::Lost => None,
        };
        let reason = closed.map(|closed| output::reason(&closed.reason));
        let address = session.address.map(|address| address.to_string());
        let mut id = |text: Option<&[u8]>| {
            text.map(|text| self.texts.id(connection, number, text)).transpose()
        };
        let comm = id(Some(&session.forwarder.comm))?;
        let exe = id(session.forwarder.exe.as_deref())?;
        let target_comm = id(target.comm.as_deref())?;
        let address = id(address.as_deref().map(str::as_bytes))?;
        let reason = id(reason.as_deref().map(str::as_bytes))?;
        let (exit_code, signal) = match closed.and_then(|closed| closed.helper_end) {
            Some(End::Exited(code)) => (Some(code), None),
            Some(End::Killed(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        let count = |value: Option<u64>| value.map(signed);
        connection.prepare_cached(INSERT)?.execute(params![
            number,
            run,
            session.id,
            state_code(&session.state),
            record.time_ns,
            code(&VIAS, &session.via),
            session.forwarder.pid,
            comm,
            session.forwarder.uid,
            exe,
            session.helper.map(|helper| helper.pid),
            session.helper.and_then(|helper| helper.start_ns).map(signed),
            self.targets.id(connection, &target.owner)?,
            target.pid,
            target_comm,
            target.netns.map(signed),
            target.is_claimed,
            session.port,
            address,
            closed.and_then(|closed| code(&OUTCOMES, &closed.outcome)),
            reason,
            exit_code,
            signal,
            count(closed.and_then(|closed| closed.bytes_to_pod)),
            count(closed.and_then(|closed| closed.bytes_from_pod)),
            count(closed.and_then(|closed| closed.connect_ns)),
            count(closed.and_then(|closed| closed.duration_ns)),
        ])?;
        Ok(())
    }
}
