//! Reads a session from its row.

use std::net::IpAddr;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::codes::{CLOSED, CONNECTED, OUTCOMES, STARTED, VIAS};
use crate::host::clock;
use crate::model::{
    Closed, Container, Destination, End, Helper, Outcome, Owner, PastSession, Pod, Program, Reason,
    Session, State, Via,
};

/// An agent notes once a minute that it follows its open sessions. After this time without a note, it
/// has ended without a word, and nobody follows them.
const ALIVE_NS: i64 = 180 * 1_000_000_000;

/// The runtimes that pfsnoop knows. A name from elsewhere is `unknown`.
const RUNTIMES: [&str; 4] = ["containerd", "docker", "cri-o", "podman"];

const SELECT: &str = "SELECT session.*, target.*, run.written_ns, \
     (SELECT value FROM text WHERE text.id = forwarder_comm) AS comm, \
     (SELECT value FROM text WHERE text.id = forwarder_exe) AS exe, \
     (SELECT value FROM text WHERE text.id = target_comm) AS target_comm_text, \
     (SELECT value FROM text WHERE text.id = address) AS address_text, \
     (SELECT value FROM text WHERE text.id = reason) AS reason_text \
     FROM session LEFT JOIN target ON target.id = session.target \
     LEFT JOIN run ON run.id = session.run WHERE session.id = ?";

/// The session with this number; `None` if it was deleted, or has changed and has another number now.
pub(super) fn read(connection: &Connection, number: i64) -> rusqlite::Result<Option<PastSession>> {
    connection.prepare_cached(SELECT)?.query_row([number], session).optional()
}

fn session(row: &Row<'_>) -> rusqlite::Result<PastSession> {
    let (state, time_ns) = state(row)?;
    let address = bytes(row, "address_text")?;
    let address = address.and_then(|text| std::str::from_utf8(&text).ok()?.parse::<IpAddr>().ok());
    let helper_start: Option<i64> = row.get("helper_start_ns")?;
    let helper: Option<u32> = row.get("helper_pid")?;
    let session = Session {
        id: row.get("session_id")?,
        time_ns: 0,
        via: VIAS.get(usize::from(row.get::<_, u8>("via")?)).copied().unwrap_or(Via::Native),
        forwarder: Program {
            pid: row.get("forwarder_pid")?,
            comm: bytes(row, "comm")?.unwrap_or_default(),
            uid: row.get("forwarder_uid")?,
            exe: bytes(row, "exe")?,
        },
        helper: helper.map(|pid| Helper { pid, start_ns: helper_start.map(i64::unsigned_abs) }),
        cookie: None,
        client: None,
        target: destination(row)?,
        port: row.get("port")?,
        ports: None,
        address,
        state,
    };
    let time = Timestamp::from_nanosecond(time_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(PastSession { session, time })
}

/// The state, and when the session entered it.
fn state(row: &Row<'_>) -> rusqlite::Result<(State, i64)> {
    let (state, time_ns): (u8, i64) = (row.get("state")?, row.get("time_ns")?);
    let written_ns: i64 = row.get::<_, Option<i64>>("written_ns")?.unwrap_or(0);
    if state < CLOSED && written_ns < clock::wall_ns().saturating_sub(ALIVE_NS) {
        return Ok((State::Lost, time_ns.max(written_ns)));
    }
    let state = match state {
        STARTED => State::Started,
        CONNECTED => State::Connected,
        CLOSED => State::Closed(closed(row)?),
        _ => State::Lost,
    };
    Ok((state, time_ns))
}

fn closed(row: &Row<'_>) -> rusqlite::Result<Closed> {
    let outcome: u8 = row.get("outcome")?;
    let reason = bytes(row, "reason_text")?.unwrap_or_default();
    let (code, signal): (Option<u8>, Option<u8>) = (row.get("exit_code")?, row.get("signal")?);
    let count = |name| {
        let count: rusqlite::Result<Option<i64>> = row.get(name);
        count.map(|count| count.map(i64::unsigned_abs))
    };
    Ok(Closed {
        outcome: OUTCOMES.get(usize::from(outcome)).copied().unwrap_or(Outcome::Failed),
        reason: Reason::InWords(String::from_utf8_lossy(&reason).into_owned()),
        helper_end: code.map(End::Exited).or(signal.map(End::Killed)),
        stderr: None,
        error: None,
        bytes_to_pod: count("bytes_to_pod")?,
        bytes_from_pod: count("bytes_from_pod")?,
        connect_ns: count("connect_ns")?,
        duration_ns: count("duration_ns")?,
    })
}

fn destination(row: &Row<'_>) -> rusqlite::Result<Destination> {
    let netns: Option<i64> = row.get("netns")?;
    let owner = Owner { container: container(row)?, pod: pod(row)?, is_claimed: false };
    Ok(Destination {
        pid: row.get("target_pid")?,
        comm: bytes(row, "target_comm_text")?,
        netns: netns.map(i64::unsigned_abs),
        owner,
        is_claimed: row.get("is_claimed")?,
        ..Destination::default()
    })
}

fn container(row: &Row<'_>) -> rusqlite::Result<Option<Container>> {
    let Some(id) = row.get("container_id")? else { return Ok(None) };
    let runtime: String = row.get("runtime")?;
    Ok(Some(Container {
        id,
        runtime: RUNTIMES.into_iter().find(|known| *known == runtime).unwrap_or("unknown"),
        name: row.get("container")?,
        is_confirmed: row.get("is_confirmed")?,
        is_disputed: row.get("is_disputed")?,
    }))
}

fn pod(row: &Row<'_>) -> rusqlite::Result<Option<Pod>> {
    let Some(name) = row.get("pod")? else { return Ok(None) };
    Ok(Some(Pod { namespace: row.get("namespace")?, name, uid: row.get("pod_uid")? }))
}

/// A text, or bytes that are none.
fn bytes(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Box<[u8]>>> {
    Ok(row.get_ref(name)?.as_bytes_or_null()?.map(Into::into))
}
