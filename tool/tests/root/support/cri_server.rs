//! A small CRI server, for runtimes that no package brings: it has one pod, as CRI-O has it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::net::UnixListener;

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
        let listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = UnixListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let pod = self.clone();
                    let service = service_fn(move |request| answer(pod.clone(), request));
                    let server = http2::Builder::new(TokioExecutor::new());
                    tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
                }
            });
        });
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

/// A gRPC answer: a message with its length, then the status as a trailer.
async fn answer(
    pod: ServedPod,
    request: Request<Incoming>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let _ = request.into_body().collect().await;
    let message = pod.message(&method);
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    let trailers = async {
        let mut trailers = hyper::HeaderMap::new();
        trailers.insert("grpc-status", hyper::http::HeaderValue::from_static("0"));
        Some(Ok(trailers))
    };
    let body = Full::new(Bytes::from(body)).with_trailers(Box::pin(trailers));
    let answer = Response::builder().header("content-type", "application/grpc");
    Ok(answer.body(body).unwrap())
}
