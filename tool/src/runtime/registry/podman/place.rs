//! The process through which a pod's network namespace is entered.
//!
//! By default all containers of a pod share the network namespace of its infra container. `podman
//! pod create --share` can leave the network out, and with `--infra=false` there is no infra
//! container. Each container then has a network namespace of its own.

use super::messages::Container;

/// A pod's network.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PodNetwork {
    /// No container of the pod runs.
    None,
    /// The network namespace of this process.
    Of(u32),
    /// The containers with these names have different network namespaces.
    Several(Vec<String>),
}

/// Whether anything of a pod runs that has a network.
pub(super) fn has_network<'a>(containers: impl Iterator<Item = &'a Container>) -> bool {
    pod_network(containers) != PodNetwork::None
}

/// The network of the pod that consists of these containers.
pub(super) fn pod_network<'a>(containers: impl Iterator<Item = &'a Container>) -> PodNetwork {
    let running = containers.filter(|one| one.is_running());
    let (infra, members): (Vec<_>, Vec<_>) = running.partition(|one| one.is_infra);
    if let [infra, ..] = infra[..] {
        let is_shared = |one: &&Container| one.netns() == infra.netns();
        if members.is_empty() || members.iter().any(is_shared) {
            return PodNetwork::Of(infra.pid);
        }
    }
    match members[..] {
        [] => PodNetwork::None,
        [first, ref others @ ..] if others.iter().all(|one| one.netns() == first.netns()) => {
            PodNetwork::Of(first.pid)
        }
        _ => PodNetwork::Several(
            members.iter().filter_map(|one| one.name().map(str::to_owned)).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::registry::json::First;
    use crate::runtime::registry::podman::messages::Namespaces;

    fn container(name: &str, pid: u32, netns: &str) -> Container {
        Container {
            names: First(Some(name.to_owned())),
            state: if pid > 0 { "running" } else { "exited" }.to_owned(),
            pid,
            is_infra: name == "infra",
            namespaces: (pid > 0).then(|| Namespaces { net: netns.to_owned() }),
            ..Container::default()
        }
    }

    #[test]
    fn a_pod_has_the_network_of_its_infra_container_if_a_container_shares_it() {
        let several = |names: [&str; 2]| PodNetwork::Several(names.map(str::to_owned).into());
        for (containers, network) in [
            (&[("infra", 1, "a"), ("web", 2, "a"), ("db", 3, "a")][..], PodNetwork::Of(1)),
            (&[("infra", 1, "a"), ("web", 0, ""), ("db", 0, "")], PodNetwork::Of(1)),
            (&[("infra", 1, "a"), ("own", 2, "b"), ("web", 3, "a")], PodNetwork::Of(1)),
            // `--share` without the network.
            (&[("infra", 1, "a"), ("web", 2, "b")], PodNetwork::Of(2)),
            (&[("infra", 1, "a"), ("web", 2, "b"), ("db", 3, "c")], several(["web", "db"])),
            // `--infra=false`.
            (&[("web", 2, "b"), ("db", 0, "")], PodNetwork::Of(2)),
            (&[("web", 2, "b"), ("db", 3, "c")], several(["web", "db"])),
            (&[("infra", 0, ""), ("web", 0, "")], PodNetwork::None),
            (&[], PodNetwork::None),
        ] {
            let all: Vec<Container> =
                containers.iter().map(|&(name, pid, netns)| container(name, pid, netns)).collect();
            assert_eq!(pod_network(all.iter()), network, "{containers:?}");
        }
    }
}
