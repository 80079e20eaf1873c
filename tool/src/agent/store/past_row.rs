//! Reads a session from its row.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::Timestamp;
use rusqlite::Connection;

use super::cells::Cells;
use super::codes::{CLOSED, CONNECTED, OUTCOMES, STARTED, VIAS};
use crate::host::cgroup::runtime_named;
use crate::host::clock;
use crate::model::{
    Closed, Container, Destination, End, Helper, Outcome, Owner, PastSession, Pod, Program, Reason,
    Session, State, Via,
};

/// An agent with open sessions writes at least once a minute. If it has not written for this long, it was
/// killed, and nobody follows its open sessions.
const ALIVE_NS: i64 = 180 * 1_000_000_000;

/// The cells are read in this order.
const SELECT: &str = "SELECT session.id, state, time_ns, written_ns, \
     outcome, (SELECT value FROM text WHERE text.id = reason), exit_code, signal, \
     bytes_to_pod, bytes_from_pod, connect_ns, duration_ns, \
     session_id, via, forwarder_pid, (SELECT value FROM text WHERE text.id = forwarder_comm), \
     forwarder_uid, (SELECT value FROM text WHERE text.id = forwarder_exe), \
     helper_pid, helper_start_ns, \
     target_pid, (SELECT value FROM text WHERE text.id = target_comm), netns, is_claimed, \
     container_id, runtime, container, is_confirmed, is_disputed, pod, namespace, pod_uid, \
     port, (SELECT value FROM text WHERE text.id = address) \
     FROM session LEFT JOIN target ON target.id = session.target \
     LEFT JOIN run ON run.id = session.run";

/// The sessions with these numbers, in the order of the numbers. One that was deleted, or that has changed
/// and has another number now, is left out.
///
/// One statement reads all of them: as a parameter of a statement for one session, each number made SQLite
/// prepare the statement again, which took longer than to read the row.
pub(super) fn read(connection: &Connection, numbers: &[i64]) -> rusqlite::Result<Vec<PastSession>> {
    let list: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let sql = format!("{SELECT} WHERE session.id IN ({})", list.join(","));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map((), |row| {
        let mut cells = Cells::new(row);
        Ok((cells.next()?, session(&mut cells)?))
    })?;
    let mut found: HashMap<i64, PastSession> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(numbers.iter().filter_map(|number| found.remove(number)).collect())
}

fn session(cells: &mut Cells<'_, '_>) -> rusqlite::Result<PastSession> {
    let (state, time_ns) = state(cells)?;
    let session = Session {
        state,
        time_ns: 0,
        id: cells.next()?,
        via: VIAS.get(usize::from(cells.next::<u8>()?)).copied().unwrap_or(Via::Native),
        forwarder: Program {
            pid: cells.next()?,
            comm: cells.bytes()?.unwrap_or_default(),
            uid: cells.next()?,
            exe: cells.bytes()?,
        },
        helper: helper(cells)?,
        cookie: None,
        client: None,
        target: destination(cells)?,
        port: cells.next()?,
        ports: None,
        address: address(cells.bytes()?),
    };
    let time = Timestamp::from_nanosecond(time_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(PastSession { session, time })
}

/// The state, and when the session entered it.
fn state(cells: &mut Cells<'_, '_>) -> rusqlite::Result<(State, i64)> {
    let (state, time_ns): (u8, i64) = (cells.next()?, cells.next()?);
    let written_ns = cells.next::<Option<i64>>()?.unwrap_or(0);
    let closed = closed(cells)?;
    if state < CLOSED && written_ns < clock::wall_ns().saturating_sub(ALIVE_NS) {
        return Ok((State::Lost, time_ns.max(written_ns)));
    }
    let state = match state {
        STARTED => State::Started,
        CONNECTED => State::Connected,
        CLOSED => State::Closed(closed),
        _ => State::Lost,
    };
    Ok((state, time_ns))
}

fn closed(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Closed> {
    let outcome = cells.next::<Option<u8>>()?.and_then(|code| OUTCOMES.get(usize::from(code)));
    let reason = cells.bytes()?.unwrap_or_default();
    let (code, signal): (Option<u8>, Option<u8>) = (cells.next()?, cells.next()?);
    Ok(Closed {
        outcome: outcome.copied().unwrap_or(Outcome::Failed),
        reason: Reason::InWords(String::from_utf8_lossy(&reason).into_owned()),
        helper_end: code.map(End::Exited).or(signal.map(End::Killed)),
        stderr: None,
        error: None,
        bytes_to_pod: cells.count()?,
        bytes_from_pod: cells.count()?,
        connect_ns: cells.count()?,
        duration_ns: cells.count()?,
    })
}

fn helper(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Option<Helper>> {
    let (pid, start_ns): (Option<u32>, _) = (cells.next()?, cells.count()?);
    Ok(pid.map(|pid| Helper { pid, start_ns }))
}

fn destination(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Destination> {
    Ok(Destination {
        pid: cells.next()?,
        comm: cells.bytes()?,
        netns: cells.count()?,
        is_claimed: cells.next()?,
        owner: Owner { container: container(cells)?, pod: pod(cells)?, is_claimed: false },
        ..Destination::default()
    })
}

fn container(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Option<Container>> {
    let (id, runtime): (Option<String>, Option<String>) = (cells.next()?, cells.next()?);
    let (name, is_confirmed, is_disputed) =
        (cells.next()?, cells.next::<Option<bool>>()?, cells.next::<Option<bool>>()?);
    Ok(id.map(|id| Container {
        id,
        runtime: runtime_named(runtime.as_deref().unwrap_or_default()),
        name,
        is_confirmed: is_confirmed.unwrap_or(false),
        is_disputed: is_disputed.unwrap_or(false),
    }))
}

fn pod(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Option<Pod>> {
    let name: Option<String> = cells.next()?;
    let (namespace, uid): (Option<String>, Option<String>) = (cells.next()?, cells.next()?);
    Ok(name.map(|name| Pod {
        namespace: namespace.unwrap_or_default(),
        name,
        uid: uid.unwrap_or_default(),
    }))
}

fn address(text: Option<Box<[u8]>>) -> Option<IpAddr> {
    std::str::from_utf8(&text?).ok()?.parse().ok()
}
