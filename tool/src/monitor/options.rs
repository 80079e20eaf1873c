//! What a monitor reports.

use crate::host::cgroup::CgroupFolder;
use crate::host::process;
use crate::model::Filter;
use crate::probe::Options;

/// What a monitor reports.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of update that is wanted or not")]
pub struct MonitorOptions {
    /// Only these execs.
    pub filter: Filter,
    /// The folder of the filter's cgroup, to follow it if it is made again.
    pub cgroup: Option<CgroupFolder>,
    /// Report execs.
    pub execs: bool,
    /// Report failed execs too.
    pub failed_execs: bool,
    /// Report the ends of processes.
    pub exits: bool,
    /// Report sessions.
    pub sessions: bool,
    /// Have each exec carry the name of its cgroup, by which its owner is found.
    pub cgroup_names: bool,
    /// Show what the kernel programs log.
    pub verbose: bool,
}

impl MonitorOptions {
    /// The children of this process, and the sessions that they and it make.
    #[must_use]
    pub fn own_children(verbose: bool) -> Self {
        let (ppid, ppid_pidns) = (Some(std::process::id()), process::foreign_namespace());
        let filter = Filter { ppid, ppid_pidns, ..Filter::default() };
        Self { filter, execs: true, failed_execs: true, sessions: true, verbose, ..Self::default() }
    }

    /// Every session of this node.
    #[must_use]
    pub fn all_sessions(verbose: bool) -> Self {
        // Of all other execs on this node, the kernel programs read no more than the name.
        let filter = Filter { helpers: true, ..Filter::default() };
        Self { filter, sessions: true, verbose, ..Self::default() }
    }

    /// Every session of this node, and the execs of helpers.
    #[must_use]
    pub fn all_sessions_and_helpers(verbose: bool) -> Self {
        Self { execs: true, ..Self::all_sessions(verbose) }
    }

    pub(super) fn probe(&self) -> Options {
        Options {
            filter: self.filter.clone(),
            failed_execs: self.failed_execs,
            // The end of a helper or a forwarder is the end of its sessions.
            exits: self.exits || self.sessions,
            connections: self.sessions,
            cgroup_names: self.cgroup_names,
            verbose: self.verbose,
        }
    }
}
