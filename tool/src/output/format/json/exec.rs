//! Records of execs and exits.

use serde::{Serialize, Serializer};

use super::text::text;
use super::value::{Container, Pod, exit_code_or_signal, rfc3339};
use crate::model::{ArgList, ExecEvent, ExitEvent, Owner};

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are the contract's keys")]
pub(super) struct Exec<'a> {
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
    /// `null` if it could not be read.
    filename: Option<String>,
    args: List<'a>,
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
    /// Only if it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    claimed: bool,
}

/// Arguments as a list, written one by one: there may be ten thousands of them. An argument that could
/// not be read is `null`.
struct List<'a>(&'a ArgList);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|arg| arg.text().map(text)))
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
    /// `null` if a signal ended the process.
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<u8>,
    duration_ns: Option<u64>,
}

pub(super) fn exec<'a>(exec: &'a ExecEvent, owner: &Owner) -> Exec<'a> {
    Exec {
        r#type: "exec",
        time: rfc3339(exec.time_ns),
        exec_id: exec.process().to_string(),
        pid: exec.pid,
        tid: exec.tid,
        ppid: exec.ppid,
        uid: exec.uid,
        gid: exec.gid,
        comm: text(&exec.comm),
        parent_comm: text(&exec.parent_comm),
        ret: exec.ret,
        filename: exec.filename.as_deref().map(text),
        args: List(&exec.args.list),
        args_truncated: exec.args.cut,
        args_unreadable: exec.args.unreadable || exec.args.list.has_unreadable(),
        args_bytes: exec.args.bytes,
        netns: exec.netns,
        mntns: exec.mntns,
        pidns: exec.pidns,
        cgroup_id: exec.cgroup_id,
        container: owner.container.clone().map(Into::into),
        pod: owner.pod.clone().map(Into::into),
        claimed: owner.is_claimed,
    }
}

pub(super) fn exit(exit: &ExitEvent) -> Exit {
    let (exit_code, signal) = exit_code_or_signal(exit.end);
    Exit {
        r#type: "exit",
        time: rfc3339(exit.time_ns),
        exec_id: exit.process().to_string(),
        pid: exit.pid,
        ppid: exit.ppid,
        uid: exit.uid,
        comm: text(&exit.comm),
        exit_code,
        signal,
        duration_ns: exit.lived_ns(),
    }
}
