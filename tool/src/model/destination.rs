//! Where a forwarded connection leads.

use super::{NamedProcess, Owner, Placement};

/// What must be looked up before an event can be applied to the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The process that a forward enters.
    Process(NamedProcess),
    /// The network namespace with this inode.
    Netns(u32),
}

/// Where a connection leads: the answer to a [`Lookup`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// The process of the target, if one is known: its pid on the node.
    pub pid: Option<u32>,
    /// The comm of that process, if the target has no pod and no container.
    pub comm: Option<Box<[u8]>>,
    /// Inode of the target's network namespace; `None` when it is not known, for example
    /// after the target has ended.
    pub netns: Option<u64>,
    /// What the target's cgroup says about its owner.
    pub placement: Placement,
    /// The target's pod and container by name, once they are looked up.
    pub owner: Owner,
    /// Only the arguments of a process say so: the kernel has not seen the process in the network
    /// namespace of the target, or the process was in there before.
    pub is_claimed: bool,
}

/// What was looked up for an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedUp {
    /// The answer to the event's [`Lookup`].
    pub destination: Option<Destination>,
    /// The executable of the process that forwards, if the event starts a session.
    pub forwarder_exe: Option<Box<[u8]>>,
}
