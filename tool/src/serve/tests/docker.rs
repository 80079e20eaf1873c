//! Answers of a Docker daemon, as recorded from Docker 20.10 and shortened: a pod of cri-dockerd and a
//! plain container. The test's own process is the first process of both.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::runtime::{Runtimes, protocols};

/// A daemon.
pub(super) struct Docker {
    socket: PathBuf,
    lists: Arc<AtomicUsize>,
}

impl Docker {
    pub(super) fn start(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let lists = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&lists);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&counter)));
            }
        });
        Self { socket: socket.to_owned(), lists }
    }

    /// How often it was asked for its containers.
    pub(super) fn lists(&self) -> usize {
        self.lists.load(Ordering::Relaxed)
    }

    pub(super) fn runtimes(&self) -> Runtimes {
        let protocol = protocols().find(|one| one.name == "docker");
        let endpoint = Some(self.socket.to_str().unwrap().parse().unwrap());
        Runtimes { protocol, endpoint, ..Runtimes::default() }
    }
}

async fn answer(stream: UnixStream, lists: Arc<AtomicUsize>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let path = first.split(' ').nth(1)?;
    let body = match path {
        "/_ping" => "OK".to_owned(),
        "/version" => json!({ "Version": "20.10.24" }).to_string(),
        "/containers/json?all=true" => {
            lists.fetch_add(1, Ordering::Relaxed);
            containers().to_string()
        }
        _ => {
            let state = json!({ "Running": true, "Pid": std::process::id() });
            json!({ "Name": "/web", "State": state }).to_string()
        }
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all((head + &body).as_bytes()).await.ok()
}

fn containers() -> Value {
    let labels = |kind: &str, container: &str| {
        json!({
            "app": "kuard",
            "io.kubernetes.docker.type": kind,
            "io.kubernetes.container.name": container,
            "io.kubernetes.pod.name": "kuard",
            "io.kubernetes.pod.namespace": "shop",
            "io.kubernetes.pod.uid": "8765-43",
        })
    };
    let id = |digit: &str| digit.repeat(64);
    json!([
        { "Id": id("a"), "Names": ["/k8s_POD_kuard_shop_8765-43_0"], "State": "running",
          "Labels": labels("podsandbox", "POD"), "Created": 1_764_000_000 },
        { "Id": id("b"), "Names": ["/k8s_web_kuard_shop_8765-43_0"], "State": "running",
          "Image": "kuard:1", "Labels": labels("container", "web") },
        { "Id": id("c"), "Names": ["/web"], "State": "running", "Image": "nginx:1",
          "Labels": { "tier": "front" }, "Ports": [{ "PrivatePort": 80, "Type": "tcp" }] },
        { "Id": id("d"), "Names": ["/old"], "State": "exited", "Image": "nginx:1", "Labels": {} },
    ])
}
