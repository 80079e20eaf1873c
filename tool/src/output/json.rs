//! One JSON object a line. Keys are only ever added; the README documents them.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use serde::Serialize;

use crate::node::clock;
use crate::resolve::{Found, Kind, Network};
use crate::trace::{self, Arg, End, ExecEvent, ExitEvent, Lost, Owner};

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are the contract's keys")]
pub(super) struct Exec {
    r#type: &'static str,
    time: String,
    exec_id: String,
    pid: u32,
    tid: u32,
    ppid: u32,
    uid: u32,
    gid: u32,
    comm: String,
    parent_comm: String,
    ret: i32,
    filename: String,
    /// `null` stands for an argument that could not be read.
    args: Vec<Option<String>>,
    args_truncated: bool,
    args_unreadable: bool,
    args_bytes: u64,
    netns: Option<u32>,
    mntns: Option<u32>,
    pidns: Option<u32>,
    cgroup_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Pod>,
}

#[derive(Serialize)]
pub(super) struct Container {
    id: String,
    runtime: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Pod {
    namespace: String,
    name: String,
    uid: String,
}

impl From<trace::Pod> for Pod {
    fn from(trace::Pod { namespace, name, uid }: trace::Pod) -> Self {
        Self { namespace, name, uid }
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are the contract's keys")]
pub(super) struct Exit {
    r#type: &'static str,
    time: String,
    exec_id: String,
    pid: u32,
    ppid: u32,
    uid: u32,
    comm: String,
    /// `null` when a signal ended it.
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<u8>,
    duration_ns: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct LostRecord {
    r#type: &'static str,
    time: String,
    events: u64,
    total: u64,
}

pub(super) fn exec(exec: &ExecEvent, owner: &Owner) -> Exec {
    let unreadable = exec.args.list.contains(&Arg::Unreadable);
    Exec {
        r#type: "exec",
        time: rfc3339(exec.time_ns),
        exec_id: exec_id(exec.pid, exec.start_ns),
        pid: exec.pid,
        tid: exec.tid,
        ppid: exec.ppid,
        uid: exec.uid,
        gid: exec.gid,
        comm: text(&exec.comm),
        parent_comm: text(&exec.parent_comm),
        ret: exec.ret,
        filename: text(&exec.filename),
        args: exec.args.list.iter().map(|arg| arg.text().map(text)).collect(),
        args_truncated: exec.args.cut,
        args_unreadable: exec.args.unreadable || unreadable,
        args_bytes: exec.args.bytes,
        netns: exec.netns,
        mntns: exec.mntns,
        pidns: exec.pidns,
        cgroup_id: exec.cgroup_id,
        container: owner.container.clone().map(Into::into),
        pod: owner.pod.clone().map(Into::into),
    }
}

impl From<trace::Container> for Container {
    fn from(trace::Container { id, runtime, name }: trace::Container) -> Self {
        Self { id, runtime, name }
    }
}

pub(super) fn exit(exit: &ExitEvent) -> Exit {
    let (exit_code, signal) = match exit.end {
        End::Exited(code) => (Some(code), None),
        End::Killed(signal) => (None, Some(signal)),
    };
    Exit {
        r#type: "exit",
        time: rfc3339(exit.time_ns),
        exec_id: exec_id(exit.pid, exit.start_ns),
        pid: exit.pid,
        ppid: exit.ppid,
        uid: exit.uid,
        comm: text(&exit.comm),
        exit_code,
        signal,
        duration_ns: exit.lived_ns(),
    }
}

pub(super) fn lost(lost: Lost) -> LostRecord {
    let Lost { events, total } = lost;
    LostRecord { r#type: "lost", time: rfc3339(clock::boottime_ns()), events, total }
}

#[derive(Serialize)]
struct Target<'a> {
    r#type: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
    id: &'a str,
    runtime: &'static str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<u64>,
    addresses: Vec<IpAddr>,
    listeners: Vec<Listener>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Pod>,
}

#[derive(Serialize)]
struct Listener {
    address: IpAddr,
    port: u16,
}

/// A pod or container that can be forwarded to, as one line.
pub fn target(out: &mut impl Write, found: &Found) -> io::Result<()> {
    let Found { listed, runtime, network } = found;
    let network = network.clone();
    let pid = network.as_ref().and_then(|network| network.pid);
    let netns = network.as_ref().map(|network| network.netns);
    let Network { addresses, listeners, .. } = network.unwrap_or_default();
    let listeners = listeners.iter();
    let object = Target {
        r#type: "target",
        kind: match listed.kind {
            Kind::Sandbox => "pod",
            Kind::Container => "container",
        },
        namespace: listed.pod.as_ref().map(|pod| pod.namespace.as_str()),
        name: found.name(),
        id: &listed.id,
        runtime,
        state: &listed.state,
        pid,
        netns,
        addresses,
        listeners: listeners.map(|at| Listener { address: at.ip(), port: at.port() }).collect(),
        pod: listed.pod.clone().map(Pod::from),
    };
    line(out, &object)
}

/// Names a process for good, and so joins all of its records: a pid is used again, with another
/// start.
fn exec_id(pid: u32, start_ns: u64) -> String {
    format!("{pid}-{start_ns}")
}

/// One object, one line.
pub(super) fn line(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}

/// UTC with nanoseconds, always nine digits.
pub(super) fn rfc3339(boottime_ns: u64) -> String {
    format!("{:.9}", clock::wall_time(boottime_ns))
}

/// The text as it is; bytes that are not UTF-8, which JSON cannot hold, as `\xNN`.
pub(super) fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_text_and_marks_foreign_bytes() {
        assert_eq!(text("a\nb\u{1b}ü".as_bytes()), "a\nb\u{1b}ü");
        assert_eq!(text(b"a\xffb"), r"a\xffb");
    }

    #[test]
    fn times_have_nanoseconds_and_a_zone() {
        let time = rfc3339(clock::boottime_ns());
        assert_eq!(time.len(), "2026-11-22T12:38:59.123456789Z".len(), "{time}");
        assert!(time.ends_with('Z'));
    }
}
