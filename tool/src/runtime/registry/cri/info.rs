//! The JSON that runtimes put into `info["info"]` of a verbose status. No standard describes it:
//! containerd's is `SandboxInfo` and `ContainerInfo` (pkg/cri/server), CRI-O's is made in
//! server/sandbox_status.go and server/container_status.go.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::runtime::registry::json::lenient;

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
    #[serde(default, deserialize_with = "lenient")]
    pid: u32,
    #[serde(default, rename = "sandboxID", deserialize_with = "lenient")]
    sandbox_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    runtime_spec: Spec,
    #[serde(default, deserialize_with = "lenient")]
    sandbox_metadata: SandboxMetadata,
}

/// OCI's runtime-spec, config-linux.md.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    #[serde(deserialize_with = "lenient")]
    linux: Linux,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Linux {
    #[serde(deserialize_with = "lenient")]
    namespaces: Vec<Namespace>,
}

#[derive(Deserialize)]
struct Namespace {
    #[serde(default, deserialize_with = "lenient")]
    r#type: String,
    #[serde(default, deserialize_with = "lenient")]
    path: PathBuf,
}

/// containerd, from 2.0 on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SandboxMetadata {
    #[serde(rename = "NetNSPath", deserialize_with = "lenient")]
    netns_path: PathBuf,
}

impl Info {
    /// Reads the map of a status. A text that cannot be read gives no values.
    pub(super) fn of(info: &HashMap<String, String>) -> Self {
        info.get("info").map(|text| Self::read(text)).unwrap_or_default()
    }

    /// Reads the text of a status.
    pub(super) fn read(text: &str) -> Self {
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
        let namespaces = json.runtime_spec.linux.namespaces;
        let network = namespaces.into_iter().find(|one| one.r#type == "network");
        let by_spec = network.map(|network| network.path);
        let paths = by_spec.into_iter().chain([json.sandbox_metadata.netns_path]);
        Self {
            pid: Some(json.pid).filter(|&pid| pid > 0),
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
    fn one_strange_value_does_not_hide_the_others() {
        let text = r#"{"pid": "x", "sandboxID": 7, "runtimeSpec": {"linux": {"namespaces":
            [{"type": 7}, {"type": "network", "path": "/run/netns/a"}]}}, "sandboxMetadata": []}"#;
        assert_eq!(info(text).netns, Some("/run/netns/a".into()));
        let deep = format!(r#"{{"pid": 7, "x": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(info(&deep).pid, Some(7));
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
