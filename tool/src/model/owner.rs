//! The pod and the container that a process belongs to.

/// The container and the pod that an event belongs to. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The container.
    pub container: Option<Container>,
    /// The pod.
    pub pod: Option<Pod>,
    /// Only the arguments of an nsenter say so, before it enters.
    pub is_claimed: bool,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// Its id, 64 hexadecimal digits.
    pub id: String,
    /// The runtime that has it, or `unknown`.
    pub runtime: &'static str,
    /// Its name, when the runtime or the kubelet's logs have it.
    pub name: Option<String>,
    /// A runtime has answered that it has this container, with its processes in this cgroup.
    pub is_confirmed: bool,
    /// The id may be false: the runtimes that answer do not know it or have it elsewhere, or others
    /// than root may have named the cgroup. No filter for a pod or a container matches then.
    pub is_disputed: bool,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}
