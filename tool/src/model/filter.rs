//! Which execs the user wants to see.

use regex::bytes::Regex;

use super::{Arg, ExecEvent};

/// The user's filters. An exec must match each one that is set.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Found anywhere in the process's comm.
    pub name: Option<Regex>,
    /// Found anywhere in the arguments, joined by spaces.
    pub line: Option<Regex>,
    /// Real user id.
    pub uid: Option<u32>,
    /// Parent process.
    pub ppid: Option<u32>,
    /// Inode of the pid namespace in which that pid counts, if it is not the node's: then only the kernel
    /// programs can compare pids.
    pub ppid_pidns: Option<u32>,
    /// Only nsenter and socat.
    pub helpers: bool,
    /// This cgroup (v2) and the cgroups below it, by id: the inode of its directory. Only the
    /// kernel programs check it.
    pub cgroup: Option<u64>,
}

impl Filter {
    /// Whether every exec passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { name, line, uid, ppid, ppid_pidns: _, helpers, cgroup } = self;
        let numbers = uid.or(*ppid).is_some() || cgroup.is_some();
        name.is_none() && line.is_none() && !numbers && !helpers
    }

    /// Whether the exec is one that the user wants to see.
    #[must_use]
    pub fn matches(&self, exec: &ExecEvent) -> bool {
        self.uid.is_none_or(|uid| exec.uid == uid)
            && self.ppid.is_none_or(|ppid| exec.ppid == ppid || self.ppid_pidns.is_some())
            && self.name.as_ref().is_none_or(|name| name.is_match(&exec.comm))
            && self.line.as_ref().is_none_or(|line| line.is_match(&joined(exec)))
    }
}

/// The arguments as they are shown, so that users can match what they see.
fn joined(exec: &ExecEvent) -> Vec<u8> {
    let mut line = Vec::with_capacity(exec.args.list.bytes());
    for (n, text) in exec.shown_args().filter_map(Arg::text).enumerate() {
        if n > 0 {
            line.push(b' ');
        }
        line.extend_from_slice(text);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Args;

    fn exec() -> ExecEvent {
        ExecEvent {
            pid: 2,
            ppid: 1,
            comm: b"nsenter"[..].into(),
            filename: Some(b"/usr/bin/nsenter"[..].into()),
            args: Args {
                list: [&b"nsenter"[..], b"-t", b"\xff"].map(Arg::Text).into_iter().collect(),
                ..Args::default()
            },
            ..ExecEvent::default()
        }
    }

    fn regex(text: &str) -> Regex {
        Regex::new(text).unwrap()
    }

    #[test]
    fn every_filter_must_match() {
        let name = |text| Filter { name: Some(regex(text)), ..Filter::default() };
        let line = |text| Filter { line: Some(regex(text)), ..Filter::default() };
        assert!(Filter::default().matches(&exec()));
        assert!(name("sent").matches(&exec()) && name("^nsenter$").matches(&exec()));
        assert!(!name("socat").matches(&exec()));
        assert!(line("^/usr/bin/nsenter -t").matches(&exec()), "arguments are joined by spaces");
        assert!(!line("kubelet").matches(&exec()), "the line is the arguments, not the parent");
        assert!(!Filter { ppid: Some(7), ..name("nsenter") }.matches(&exec()));
        assert!(!Filter { uid: Some(7), ..name("nsenter") }.matches(&exec()));
        let root = Filter { uid: Some(0), ..Filter::default() };
        assert!(root.matches(&exec()));
        assert!(!root.matches(&ExecEvent { uid: 7, ..exec() }), "uid 0 is a filter");
    }
}
