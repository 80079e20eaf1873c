//! The JSON that runtimes put into `info["info"]` of a verbose status. No standard describes it:
//! containerd's is `SandboxInfo` and `ContainerInfo` (pkg/cri/server), CRI-O's is made in
//! server/sandbox_status.go and server/container_status.go.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Where the processes are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    /// Pid of the first process. CRI-O's sandboxes have none.
    pub(super) pid: Option<u32>,
    /// The network namespace's file; `None` for the node's own.
    pub(super) netns: Option<PathBuf>,
    /// Id of a container's sandbox.
    pub(super) sandbox: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    #[serde(default)]
    pid: i64,
    #[serde(rename = "sandboxID")]
    sandbox_id: Option<String>,
    runtime_spec: Option<Spec>,
    sandbox_metadata: Option<SandboxMetadata>,
}

/// OCI's runtime-spec, config-linux.md.
#[derive(Deserialize)]
struct Spec {
    linux: Option<Linux>,
}

#[derive(Deserialize)]
struct Linux {
    namespaces: Option<Vec<Namespace>>,
}

#[derive(Deserialize)]
struct Namespace {
    r#type: String,
    #[serde(default)]
    path: PathBuf,
}

/// containerd, from 2.0 on.
#[derive(Deserialize)]
struct SandboxMetadata {
    #[serde(default, rename = "NetNSPath")]
    netns_path: PathBuf,
}

impl Info {
    /// Reads the map of a status. A text that cannot be read gives no values.
    pub(super) fn of(info: &HashMap<String, String>) -> Self {
        let Some(text) = info.get("info") else { return Self::default() };
        match serde_json::from_str::<Json>(text) {
            Ok(json) => Self::from(json),
            Err(error) => {
                log::debug!("the runtime's info is not as expected: {error}");
                Self::default()
            }
        }
    }
}

impl From<Json> for Info {
    fn from(json: Json) -> Self {
        let namespaces = json.runtime_spec.and_then(|spec| spec.linux?.namespaces);
        let network = namespaces.into_iter().flatten().find(|one| one.r#type == "network");
        let by_spec = network.map(|network| network.path);
        let by_metadata = json.sandbox_metadata.map(|metadata| metadata.netns_path);
        let paths = by_spec.into_iter().chain(by_metadata);
        Self {
            pid: u32::try_from(json.pid).ok().filter(|&pid| pid > 0),
            netns: paths.into_iter().find(|path| path.is_absolute()),
            sandbox: json.sandbox_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> Info {
        Info::of(&HashMap::from([("info".to_owned(), text.to_owned())]))
    }

    #[test]
    fn containerd_has_a_pause_process() {
        let text = r#"{"pid": 4947, "processStatus": "running", "netNamespaceClosed": false,
            "runtimeSpec": {"ociVersion": "1.0.2", "linux": {"namespaces": [{"type": "pid"},
            {"type": "network", "path": "/var/run/netns/cni-1"}]}}, "cniResult": {}}"#;
        let expected =
            Info { pid: Some(4947), netns: Some("/var/run/netns/cni-1".into()), sandbox: None };
        assert_eq!(info(text), expected);
        let newer = r#"{"pid": 0, "runtimeSpec": null, "sandboxMetadata": {"ID": "x",
            "NetNSPath": "/var/run/netns/cni-2"}}"#;
        assert_eq!(
            info(newer),
            Info { pid: None, netns: Some("/var/run/netns/cni-2".into()), sandbox: None }
        );
    }

    #[test]
    fn crio_has_no_pause_process_and_reports_the_namespace() {
        let text = r#"{"runtimeSpec": {"ociVersion": "1.0.2-dev", "linux": {"namespaces": [
            {"type": "pid"}, {"type": "network", "path": "/var/run/netns/24ba2d1e-f37f"},
            {"type": "ipc", "path": "/var/run/ipcns/24ba2d1e-f37f"}]}}}"#;
        let expected =
            Info { pid: None, netns: Some("/var/run/netns/24ba2d1e-f37f".into()), sandbox: None };
        assert_eq!(info(text), expected);
        let container = r#"{"sandboxID": "ab", "pid": 812, "runtimeSpec": {"linux": {"namespaces":
            [{"type": "network", "path": "/var/run/netns/24ba2d1e-f37f"}]}}, "privileged": false}"#;
        let Info { pid, sandbox, .. } = info(container);
        assert_eq!((pid, sandbox.as_deref()), (Some(812), Some("ab")));
    }

    #[test]
    fn texts_without_values_give_no_values() {
        for text in ["", "{}", "[]", "{\"pid\": -1}", "{\"pid\": 1e9}", "{\"pid\": \"1\"}"] {
            assert_eq!(info(text), Info::default(), "{text}");
        }
        let nodes_own = r#"{"runtimeSpec": {"linux": {"namespaces": [{"type": "network"}]}}}"#;
        assert_eq!(info(nodes_own), Info::default());
        assert_eq!(Info::of(&HashMap::new()), Info::default());
    }
}
