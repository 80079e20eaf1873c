//! The container and pod of a process, by the path of its cgroup or by its network namespace.

/// The container and pod of a process by the path of its cgroup, or its network namespace: all that is
/// known before a runtime is asked for names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// The container.
    pub container: Option<ContainerRef>,
    /// Uid of the pod, which the kubelet writes into the path.
    pub pod_uid: Option<String>,
    /// Found through a network namespace, which all containers of a pod share: the pod is known,
    /// but not which of its containers it is.
    pub is_shared: bool,
    /// Inode of a network namespace in which no process of a container was found. A runtime may know
    /// whose it is.
    pub netns: Option<u64>,
    /// The cgroup that names the container.
    pub container_folder: NamedFolder,
    /// The cgroup that names the pod.
    pub pod_folder: NamedFolder,
    /// Only the arguments of an nsenter say so, before it enters.
    pub is_claimed: bool,
}

/// A cgroup that is named for a container or a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NamedFolder {
    /// Its path; `None` if the kernel sent only a part.
    pub path: Option<String>,
    /// Others than root may have given it its name: without a runtime that confirms it, the name
    /// proves nothing.
    pub is_delegated: bool,
}

/// A container, as the path of a cgroup names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContainerRef {
    /// Its id, 64 hexadecimal digits. Where a runtime has only names, the name.
    pub id: String,
    /// The runtime that writes such paths, or `unknown`.
    pub runtime: &'static str,
}

impl ContainerRef {
    /// Whether this is an id. A runtime is asked for nothing else: another container may have such a
    /// name.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl Placement {
    /// Whether nothing is known of which a runtime may know the names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.container.is_none() && self.pod_uid.is_none() && self.netns.is_none()
    }

    /// How many bytes it takes beside its own size.
    #[must_use]
    pub fn memory(&self) -> usize {
        let Self { container, pod_uid, container_folder, pod_folder, .. } = self;
        let id = container.as_ref().map(|container| &container.id);
        let all = [id, pod_uid.as_ref(), container_folder.path.as_ref(), pod_folder.path.as_ref()];
        all.into_iter().flatten().map(String::len).sum()
    }

    /// The container's id, or its name.
    #[must_use]
    pub fn container_id(&self) -> Option<&str> {
        self.container.as_ref().map(|container| container.id.as_str())
    }
}
