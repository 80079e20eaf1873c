//! A small CRI server, for runtimes that no package brings: it has one pod, as CRI-O has it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use prost::Message as _;

use super::grpc_runtime::{Answer, serve};

/// The pod of the server: `shop/crash`, ready, with a network namespace and without a process.
#[derive(Clone)]
pub struct ServedPod {
    /// The file of its namespace.
    pub netns: PathBuf,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Version {
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Sandboxes {
    #[prost(message, repeated, tag = "1")]
    items: Vec<Sandbox>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Sandbox {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "2")]
    metadata: Option<super::cri::PodMetadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    /// An empty status: `SANDBOX_READY` is 0.
    #[prost(message, optional, tag = "1")]
    status: Option<Empty>,
    #[prost(map = "string, string", tag = "2")]
    info: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Empty {}

impl ServedPod {
    /// Serves the pod at a socket, for as long as the test runs.
    pub fn serve(self, socket: &Path) {
        serve(socket, move |method| Answer::Message(self.message(method)));
    }

    fn message(&self, method: &str) -> Vec<u8> {
        let text = str::to_owned;
        match method {
            "Version" => Version { name: text("cri-o"), version: text("1.37.0") }.encode_to_vec(),
            "ListPodSandbox" => {
                let (name, namespace) = (text("crash"), text("shop"));
                let metadata = super::cri::PodMetadata { name, uid: text("uid-1"), namespace };
                let sandbox = Sandbox { id: "5".repeat(64), metadata: Some(metadata) };
                Sandboxes { items: vec![sandbox] }.encode_to_vec()
            }
            "PodSandboxStatus" => {
                let info = serde_json::json!({"runtimeSpec": {"linux": {"namespaces": [
                    {"type": "network", "path": self.netns}]}}});
                let info = HashMap::from([("info".to_owned(), info.to_string())]);
                Status { status: Some(Empty {}), info }.encode_to_vec()
            }
            // No containers.
            _ => Vec::new(),
        }
    }
}
