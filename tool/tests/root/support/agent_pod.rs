//! The agent's pod, as the manifests in `docs/deploy` describe it.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Container, PodSpec, SeccompProfile, VolumeMount};

use super::cri::{
    Capabilities, ContainerConfig, ContainerMetadata, ContainerSecurityContext, Image,
    LinuxContainerConfig, Mount, NamespaceOptions, Resources, SecurityProfile, Variable,
};
use super::kustomize::{deploy, kustomize, of_kind};
use super::node_root::NodeRoot;

/// The namespace mode of CRI in which a container shares the node's.
pub const OF_NODE: i32 = 2;

/// The kind of a seccomp profile that is a file of the node.
const LOCALHOST: i32 = 2;

/// The value of `NODE_NAME` in the agent's pod.
pub const NODE_NAME: &str = "node-1";

/// The pod of the only DaemonSet of a folder.
pub struct AgentPod {
    spec: PodSpec,
}

impl AgentPod {
    /// The pod of this folder below `docs/deploy`.
    pub fn of(folder: &str) -> Self {
        let daemon_set = of_kind(&kustomize(folder), "DaemonSet");
        let daemon_set: DaemonSet = serde_json::from_value(daemon_set).unwrap();
        Self { spec: daemon_set.spec.template.spec.unwrap() }
    }

    fn container(&self) -> &Container {
        let [container] = &self.spec.containers[..] else { panic!("one container") };
        container
    }

    /// The name of the image.
    pub fn image(&self) -> &str {
        self.container().image.as_deref().unwrap()
    }

    /// The agent's container as a kubelet describes it to a runtime, on this node.
    pub fn container_on(&self, node: &NodeRoot) -> ContainerConfig {
        let container = self.container();
        let mounts = container.volume_mounts.iter().flatten();
        let name = container.name.clone();
        ContainerConfig {
            metadata: Some(ContainerMetadata { name, attempt: 0 }),
            image: Some(Image { image: self.image().to_owned() }),
            args: container.args.clone().unwrap_or_default(),
            envs: self.variables(),
            mounts: mounts.map(|mount| self.mount(mount, node)).collect(),
            linux: Some(LinuxContainerConfig {
                resources: Some(Resources { memory_limit_in_bytes: self.memory_limit() }),
                security_context: Some(self.security_context()),
            }),
            ..ContainerConfig::default()
        }
    }

    fn security_context(&self) -> ContainerSecurityContext {
        let given = self.container().security_context.as_ref().unwrap();
        let capabilities = given.capabilities.clone().unwrap();
        assert_eq!(given.privileged, None);
        ContainerSecurityContext {
            capabilities: Some(Capabilities {
                add: capabilities.add.unwrap_or_default(),
                drop: capabilities.drop.unwrap_or_default(),
            }),
            namespace_options: Some(self.namespaces()),
            readonly_rootfs: given.read_only_root_filesystem == Some(true),
            no_new_privs: given.allow_privilege_escalation == Some(false),
            seccomp: Some(seccomp(given.seccomp_profile.as_ref().unwrap())),
        }
    }

    /// The namespaces of the pod.
    pub fn namespaces(&self) -> NamespaceOptions {
        let mode = |is_of_node: Option<bool>| if is_of_node == Some(true) { OF_NODE } else { 0 };
        let spec = &self.spec;
        NamespaceOptions { network: mode(spec.host_network), pid: mode(spec.host_pid) }
    }

    fn variables(&self) -> Vec<Variable> {
        let variables = self.container().env.iter().flatten();
        let value = |source: &str| match source {
            "spec.nodeName" => NODE_NAME.to_owned(),
            other => panic!("the tests do not know {other}"),
        };
        let variables = variables.map(|variable| {
            let source = variable.value_from.as_ref().unwrap().field_ref.as_ref().unwrap();
            Variable { key: variable.name.clone(), value: value(&source.field_path) }
        });
        variables.collect()
    }

    fn mount(&self, mount: &VolumeMount, node: &NodeRoot) -> Mount {
        let volumes = self.spec.volumes.iter().flatten();
        let paths: BTreeMap<&str, &str> = volumes
            .map(|volume| (&*volume.name, &*volume.host_path.as_ref().unwrap().path))
            .collect();
        let follows_node = mount.mount_propagation.as_deref() == Some("HostToContainer");
        Mount {
            container_path: mount.mount_path.clone(),
            host_path: node.folder(paths[&*mount.name]).display().to_string(),
            readonly: mount.read_only == Some(true),
            propagation: i32::from(follows_node),
        }
    }

    /// In bytes.
    fn memory_limit(&self) -> i64 {
        let resources = self.container().resources.as_ref().unwrap();
        let limit = &resources.limits.as_ref().unwrap()["memory"].0;
        let mebibytes: i64 = limit.strip_suffix("Mi").unwrap().parse().unwrap();
        mebibytes * 1024 * 1024
    }
}

/// A profile of the node is the file in `docs/deploy/seccomp`.
fn seccomp(profile: &SeccompProfile) -> SecurityProfile {
    match (&*profile.type_, &profile.localhost_profile) {
        ("RuntimeDefault", None) => SecurityProfile::default(),
        ("Localhost", Some(name)) => {
            let path = deploy().join("seccomp").join(name).display().to_string();
            SecurityProfile { kind: LOCALHOST, path }
        }
        other => panic!("the tests do not know {other:?}"),
    }
}
