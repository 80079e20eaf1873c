//! CRI calls that make and end pods, with the messages of CRI's api.proto.

use std::path::Path;
use std::time::Duration;

use pfsnoop::runtime::cri::{CallError, Client, MAX_STATUS};
use tokio::runtime::Runtime;

/// The product's own client, in blocking form.
pub struct Cri {
    client: Client,
    runtime: Runtime,
}

/// Configuration of a pod.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PodConfig {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<PodMetadata>,
    /// The folder of the logs of its containers.
    #[prost(string, tag = "3")]
    pub log_directory: String,
    #[prost(message, optional, tag = "8")]
    pub linux: Option<LinuxPodConfig>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct PodMetadata {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub uid: String,
    #[prost(string, tag = "3")]
    pub namespace: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct LinuxPodConfig {
    #[prost(string, tag = "1")]
    pub cgroup_parent: String,
    #[prost(message, optional, tag = "2")]
    pub security_context: Option<SecurityContext>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SecurityContext {
    #[prost(message, optional, tag = "1")]
    pub namespace_options: Option<NamespaceOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct NamespaceOptions {
    /// 0: the pod has its own, 2: the pod is in the node's.
    #[prost(int32, tag = "1")]
    pub network: i32,
    /// The same.
    #[prost(int32, tag = "2")]
    pub pid: i32,
}

/// Configuration of a container.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerConfig {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<ContainerMetadata>,
    #[prost(message, optional, tag = "2")]
    pub image: Option<Image>,
    #[prost(string, repeated, tag = "3")]
    pub command: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub args: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    pub envs: Vec<Variable>,
    #[prost(message, repeated, tag = "7")]
    pub mounts: Vec<Mount>,
    /// The name of its log in the pod's `log_directory`.
    #[prost(string, tag = "11")]
    pub log_path: String,
    #[prost(message, optional, tag = "15")]
    pub linux: Option<LinuxContainerConfig>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Variable {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Mount {
    #[prost(string, tag = "1")]
    pub container_path: String,
    #[prost(string, tag = "2")]
    pub host_path: String,
    #[prost(bool, tag = "3")]
    pub readonly: bool,
    /// 1: mounts of the node below it appear in the container.
    #[prost(int32, tag = "5")]
    pub propagation: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct LinuxContainerConfig {
    #[prost(message, optional, tag = "1")]
    pub resources: Option<Resources>,
    #[prost(message, optional, tag = "2")]
    pub security_context: Option<ContainerSecurityContext>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Resources {
    #[prost(int64, tag = "4")]
    pub memory_limit_in_bytes: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerSecurityContext {
    #[prost(message, optional, tag = "1")]
    pub capabilities: Option<Capabilities>,
    #[prost(message, optional, tag = "3")]
    pub namespace_options: Option<NamespaceOptions>,
    #[prost(bool, tag = "7")]
    pub readonly_rootfs: bool,
    #[prost(bool, tag = "11")]
    pub no_new_privs: bool,
    #[prost(message, optional, tag = "15")]
    pub seccomp: Option<SecurityProfile>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Capabilities {
    #[prost(string, repeated, tag = "1")]
    pub add: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub drop: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SecurityProfile {
    /// 0: the runtime's default, 2: the file at this path.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub path: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerMetadata {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(uint32, tag = "2")]
    pub attempt: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Image {
    #[prost(string, tag = "1")]
    pub image: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RunPodSandbox {
    #[prost(message, optional, tag = "1")]
    config: Option<PodConfig>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CreateContainer {
    #[prost(string, tag = "1")]
    sandbox: String,
    #[prost(message, optional, tag = "2")]
    config: Option<ContainerConfig>,
    #[prost(message, optional, tag = "3")]
    sandbox_config: Option<PodConfig>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ExecSync {
    #[prost(string, tag = "1")]
    container: String,
    #[prost(string, repeated, tag = "2")]
    command: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PortForward {
    #[prost(string, tag = "1")]
    sandbox: String,
    #[prost(int32, repeated, tag = "2")]
    ports: Vec<i32>,
}

/// Any message whose first field is an id.
#[derive(Clone, PartialEq, prost::Message)]
struct Id {
    #[prost(string, tag = "1")]
    id: String,
}

impl Cri {
    pub fn connect(socket: &Path) -> Result<Self, CallError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(Client::connect(socket, Duration::from_secs(30)))?;
        Ok(Self { client, runtime })
    }

    fn call(&self, method: &str, request: impl prost::Message + 'static) -> Result<Id, CallError> {
        self.runtime.block_on(self.client.call(method, request, MAX_STATUS))
    }

    /// A call that takes an id. Its answer is ignored.
    pub fn by_id(&self, method: &str, id: &str) -> Result<(), CallError> {
        self.call(method, Id { id: id.to_owned() }).map(drop)
    }

    pub fn run_sandbox(&self, config: &PodConfig) -> Result<String, CallError> {
        let request = RunPodSandbox { config: Some(config.clone()) };
        self.call("RunPodSandbox", request).map(|answer| answer.id)
    }

    pub fn run_container(&self, sandbox: &str, pod: &PodConfig, config: ContainerConfig) -> String {
        let request = CreateContainer {
            sandbox: sandbox.to_owned(),
            config: Some(config),
            sandbox_config: Some(pod.clone()),
        };
        let id = self.call("CreateContainer", request).unwrap().id;
        self.by_id("StartContainer", &id).unwrap();
        id
    }

    /// The URL at which the runtime's streaming server waits for the forward.
    pub fn port_forward(&self, sandbox: &str, port: u16) -> String {
        let request = PortForward { sandbox: sandbox.to_owned(), ports: vec![port.into()] };
        self.call("PortForward", request).unwrap().id
    }

    pub fn exec(&self, container: &str, command: &[&str]) {
        let command = command.iter().map(ToString::to_string).collect();
        // ExecSyncResponse begins with bytes of stdout.
        self.call("ExecSync", ExecSync { container: container.to_owned(), command }).unwrap();
    }
}
