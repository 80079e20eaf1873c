//! Which execs the user wants to see. What the kernel programs can decide, they decide.

use pfsnoop_common::Settings;
use pfsnoop_common::record::COMM_LEN;
use pfsnoop_common::settings::{comm_words, filters};
use regex::bytes::Regex;

use super::{Arg, ExecEvent};

/// The user's filters; all that are set must match.
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
    /// Only nsenter and socat.
    pub helpers: bool,
    /// This cgroup (v2) and those below it, by its id: the inode of its directory. Only the kernel programs
    /// can tell.
    pub cgroup: Option<u64>,
}

impl Filter {
    /// What the kernel programs can filter by themselves.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::DEFAULT;
        if let Some(text) = self.name.as_ref().and_then(plain_comm) {
            settings.filters |= filters::COMM;
            settings.comm = padded(text.as_bytes());
            settings.comm_mask = padded(&[0xff; COMM_LEN][..text.len()]);
        }
        if self.helpers {
            settings.filters |= filters::HELPERS;
        }
        if let Some(uid) = self.uid {
            settings.filters |= filters::UID;
            settings.uid = uid;
        }
        if let Some(ppid) = self.ppid {
            settings.filters |= filters::PPID;
            settings.ppid = ppid;
        }
        if let Some(id) = self.cgroup {
            settings.filters |= filters::CGROUP;
            settings.cgroup_id = id;
        }
        settings
    }

    /// Whether it lets everything pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { name, line, uid, ppid, helpers, cgroup } = self;
        let numbers = uid.or(*ppid).is_some() || cgroup.is_some();
        name.is_none() && line.is_none() && !numbers && !helpers
    }

    /// Whether the exec is one that the user wants to see.
    #[must_use]
    pub fn matches(&self, exec: &ExecEvent) -> bool {
        self.uid.is_none_or(|uid| exec.uid == uid)
            && self.ppid.is_none_or(|ppid| exec.ppid == ppid)
            && self.name.as_ref().is_none_or(|name| name.is_match(&exec.comm))
            && self.line.as_ref().is_none_or(|line| line.is_match(&joined(exec)))
    }
}

/// The expression as a plain text that a comm can contain.
fn plain_comm(name: &Regex) -> Option<&str> {
    let text = name.as_str();
    let is_plain =
        !text.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$']);
    (is_plain && (1..COMM_LEN).contains(&text.len())).then_some(text)
}

fn padded(text: &[u8]) -> [u64; 2] {
    let mut comm = [0; COMM_LEN];
    comm.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    comm_words(&comm)
}

/// The arguments as they are shown, so that what one sees is what one can match.
fn joined(exec: &ExecEvent) -> Vec<u8> {
    let shown: Vec<_> = exec.shown_args().collect();
    let texts: Vec<&[u8]> = shown.iter().filter_map(Arg::text).collect();
    texts.join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Args;

    fn exec() -> ExecEvent {
        ExecEvent {
            time_ns: 0,
            start_ns: 0,
            pid: 2,
            tid: 2,
            ppid: 1,
            uid: 0,
            gid: 0,
            ret: 0,
            comm: b"nsenter"[..].into(),
            parent_comm: b"kubelet"[..].into(),
            filename: b"/usr/bin/nsenter"[..].into(),
            args: Args {
                list: [&b"nsenter"[..], b"-t", b"\xff"].map(|arg| Arg::Text(arg.into())).into(),
                ..Args::default()
            },
            netns: None,
            mntns: None,
            pidns: None,
            cgroup_id: 0,
            cgroup: Box::default(),
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

    #[test]
    fn plain_names_are_for_the_kernel() {
        let wanted =
            |text| Filter { name: Some(regex(text)), ..Filter::default() }.settings().filters;
        for plain in ["nsenter", "kube-proxy", "fifteen-letters"] {
            assert_eq!(wanted(plain), filters::COMM, "{plain}");
        }
        for not_plain in ["", "^nsenter", "ns.nter", "sixteenlettersxx"] {
            assert_eq!(wanted(not_plain), 0, "{not_plain}");
        }
    }
}
