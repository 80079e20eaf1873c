//! Which events are shown: execs that pass the filter, and the ends of the processes behind them.

use std::collections::HashMap;

use super::{ExecEvent, ExitEvent, Filter};

/// The user's filter, and which processes it has let through.
#[derive(Debug)]
pub struct Selection {
    filter: Filter,
    /// Ends are shown of shown processes alone.
    is_partial: bool,
    /// Ends are traced: without them, nothing would ever leave the map below.
    has_ends: bool,
    /// Start of each process that was shown and has not ended, by pid. Bounded by the node's
    /// number of processes.
    shown: HashMap<u32, u64>,
}

impl Selection {
    /// Nothing shown yet. `more_filters`: others than this one select too. `has_ends`: ends will be
    /// asked for.
    #[must_use]
    pub fn new(filter: Filter, more_filters: bool, has_ends: bool) -> Self {
        let is_partial = more_filters || !filter.is_empty();
        Self { filter, is_partial, has_ends, shown: HashMap::new() }
    }

    /// The filter that execs must pass.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The exec was shown: its process's end is wanted.
    pub fn shown(&mut self, exec: &ExecEvent) {
        if self.is_partial && self.has_ends {
            self.shown.insert(exec.pid, exec.start_ns);
        }
    }

    /// Whether the end is to be shown: without a filter each is, also of processes that were there
    /// before us.
    pub fn wants_exit(&mut self, exit: &ExitEvent) -> bool {
        !self.is_partial || self.shown.remove(&exit.pid) == Some(exit.start_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Args, End};
    use regex::bytes::Regex;

    fn exec(pid: u32, start_ns: u64, comm: &str) -> ExecEvent {
        ExecEvent {
            time_ns: start_ns,
            start_ns,
            pid,
            tid: pid,
            ppid: 1,
            uid: 0,
            gid: 0,
            ret: 0,
            comm: comm.as_bytes().into(),
            parent_comm: Box::default(),
            filename: Box::default(),
            args: Args::default(),
            netns: None,
            mntns: None,
            pidns: None,
            cgroup_id: 0,
            cgroup: Box::default(),
        }
    }

    fn exit(pid: u32, start_ns: u64) -> ExitEvent {
        let end = End::Exited(0);
        ExitEvent { time_ns: 9, start_ns, pid, ppid: 1, uid: 0, comm: b"socat"[..].into(), end }
    }

    #[test]
    fn ends_follow_the_process_not_its_name() {
        let name = Some(Regex::new("nsenter").unwrap());
        let mut selection = Selection::new(Filter { name, ..Filter::default() }, false, true);
        selection.shown(&exec(7, 1, "nsenter"));
        assert!(!selection.wants_exit(&exit(8, 1)), "was never shown");
        assert!(selection.wants_exit(&exit(7, 1)), "ends as socat");
        assert!(!selection.wants_exit(&exit(7, 1)), "ends once");
        selection.shown(&exec(7, 2, "nsenter"));
        assert!(!selection.wants_exit(&exit(7, 3)), "another process of that pid");
    }

    #[test]
    fn without_a_filter_every_end_is_shown() {
        assert!(Selection::new(Filter::default(), false, true).wants_exit(&exit(1, 1)));
        assert!(!Selection::new(Filter::default(), true, true).wants_exit(&exit(1, 1)));
    }
}
