//! An endpoint, its pods, and kubectl.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{TEST_TIMEOUT, eventually, pfsnoop, system};
use crate::support::containerd::{Containerd, Pod};
use crate::support::docker::Docker;
use crate::support::forward::local_port;
use crate::support::image::serve;
use crate::support::parts::kubectl;

/// How many endpoints were started: each has its own kubeconfig.
static ENDPOINTS: AtomicUsize = AtomicUsize::new(0);

/// The namespace and the name of each pod that serves a page.
pub const PODS: [(&str, &str); 2] = [("shop", "web"), ("docker", "plain")];

/// The container of a pod of containerd, and a container of Docker. Each serves a page with the name
/// of its pod on port 8080.
pub struct Pods {
    pub docker: Docker,
    pub containerd: Containerd,
    /// The pod of containerd.
    pub web: Pod,
    /// The process of Docker's container.
    pub plain: u32,
}

impl Pods {
    pub fn start(name: &str) -> Self {
        Self::start_with(name, |pod| serve(pod, 8080))
    }

    /// The same with other servers: the shell command for the pod of that name.
    pub fn start_with(name: &str, servers: impl Fn(&str) -> String) -> Self {
        let (docker, containerd) = (Docker::start(name), Containerd::start(&format!("{name}-cri")));
        let web = containerd.run_command("shop", "web", &servers("web"));
        let labels = ["app=x".to_owned()];
        let plain = docker.run_with("plain", "none", &labels, &servers("plain"));
        Self { docker, containerd, web, plain }
    }

    /// An endpoint for them.
    pub fn serve(&self, args: &[&str]) -> Endpoint {
        let number = ENDPOINTS.fetch_add(1, Ordering::Relaxed);
        let kubeconfig = temp_path(&format!("kubeconfig-{number}"));
        let mut command = pfsnoop(&["serve", "--port", "0", "--kubeconfig"]);
        command.arg(&kubeconfig).args(args).env("DOCKER_HOST", self.docker.host());
        command.env("CONTAINER_RUNTIME_ENDPOINT", self.containerd.endpoint());
        let mut running = Running::start(&mut command);
        let is_ready = |line: &str| line.starts_with("PCOMM") || line.contains(r#""ready""#);
        running.stdout_line("the endpoint", is_ready);
        Endpoint { running, kubeconfig }
    }
}

/// A running `pfsnoop serve`.
pub struct Endpoint {
    pub running: Running,
    pub kubeconfig: PathBuf,
}

impl Endpoint {
    /// A kubectl of that Debian release, for this endpoint.
    pub fn kubectl(&self, release: &str) -> Command {
        let mut command = system(kubectl(release).to_str().unwrap());
        // It would write a cache below the home folder.
        command.arg("--kubeconfig").arg(&self.kubeconfig).arg("--cache-dir=/nonexistent");
        command
    }

    /// Ends it as Ctrl-C does. The kubeconfig is gone then.
    pub fn end(self) {
        let (status, _, stderr) = self.running.interrupt();
        assert!(status.success(), "{status}: {stderr:#?}");
        assert!(!self.kubeconfig.exists(), "it is removed at the end");
    }

    /// Its URL and its token, from the kubeconfig.
    pub fn url_and_token(&self) -> (String, String) {
        let text = std::fs::read(&self.kubeconfig).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let url = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
        let token = config["users"][0]["user"]["token"].as_str().unwrap();
        (url.to_owned(), token.to_owned())
    }

    /// Forwards free local ports to these ports of a pod. Returns them in that order.
    pub fn forward(
        &self,
        release: &str,
        (namespace, name): (&str, &str),
        ports: &[u16],
    ) -> (Running, Vec<u16>) {
        let mut command = self.kubectl(release);
        command.args(["port-forward", "--address", "127.0.0.1", "-n", namespace]);
        command.arg(format!("pod/{name}")).args(ports.iter().map(|port| format!(":{port}")));
        let mut kubectl = Running::start(&mut command);
        let local = ports.iter().map(|port| {
            let end = format!("-> {port}");
            let line = kubectl.stdout_line("its port", |line| line.ends_with(&end));
            local_port(&line)
        });
        let local = local.collect();
        (kubectl, local)
    }
}

/// What a web server at that local port answers: everything after the head.
pub fn page(port: u16, path: &str) -> Vec<u8> {
    page_of(TcpStream::connect(("127.0.0.1", port)).unwrap(), path)
}

/// The same on this connection.
pub fn page_of(mut stream: TcpStream, path: &str) -> Vec<u8> {
    stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    let mut answer = Vec::new();
    let asked = stream.write_all(format!("GET /{path} HTTP/1.0\r\n\r\n").as_bytes());
    // A reset is an answer that has ended early, or before the question.
    if let Err(error) = asked.and_then(|()| stream.read_to_end(&mut answer)) {
        let is_reset = matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        assert!(is_reset, "{} bytes: {error}", answer.len());
    }
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    head.map(|end| answer.split_off(end + 4)).unwrap_or_default()
}

/// Waits until the servers in the pods listen.
pub fn wait_for_servers(endpoint: &Endpoint) {
    eventually("the servers", || {
        let list = endpoint.kubectl("forky").args(["get", "pods", "-A"]).output().unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        let serves = |line: &&str| line.split([' ', ',']).any(|word| word == "8080");
        (list.lines().filter(serves).count() == PODS.len()).then_some(())
    });
}
