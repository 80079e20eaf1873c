//! What to trace.

use crate::model::Filter;

/// What to trace, and the filter that the kernel programs apply.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part that is traced or not")]
pub struct Options {
    /// Only these execs. The kernel programs apply the part of it that they can.
    pub filter: Filter,
    /// Trace failed execs too. This runs two more programs at every exec.
    pub failed_execs: bool,
    /// Trace the ends of processes.
    pub exits: bool,
    /// Follow TCP connections into other network namespaces, and the connections of socat.
    pub connections: bool,
    /// Have each exec carry the name of its cgroup.
    pub cgroup_names: bool,
    /// Show what the kernel programs log (aya-log).
    pub verbose: bool,
}
