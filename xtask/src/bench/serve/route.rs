//! The ways from kubectl to the pod's server that are compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::containerd::Containerd;
use super::cri::SOCKET;
use super::kubectl::{Kubectl, Transport};
use super::node::FOLDER;
use crate::bench::usage::cpu_seconds;
use crate::dist;

/// Bounds how long a server takes to write its kubeconfig.
const START_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) const PEER_TLS: &str = "containerd, stub with TLS";
pub(super) const PEER_PLAIN: &str = "containerd, stub without TLS";
pub(super) const NSENTER: &str = "serve --dialer nsenter";
pub(super) const NATIVE: &str = "serve --dialer native";

/// A way for kubectl to reach the pod.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub(super) name: &'static str,
    transport: Transport,
    through: Through,
}

/// What kubectl talks to.
#[derive(Clone, Copy)]
enum Through {
    Stub { has_tls: bool },
    Pfsnoop { dialer: &'static str },
}

/// The peer comes first.
pub(super) const ROUTES: &[Route] = &[
    Route::of_peer(PEER_TLS, true),
    Route::of_peer(PEER_PLAIN, false),
    Route::of_pfsnoop(NSENTER, "nsenter", Transport::WebSocket),
    Route::of_pfsnoop(NATIVE, "native", Transport::WebSocket),
    Route::of_pfsnoop("nsenter, SPDY alone", "nsenter", Transport::Spdy),
    Route::of_pfsnoop("native, SPDY alone", "native", Transport::Spdy),
];

/// A route while its server and its kubectl are running.
pub(super) struct RunningRoute {
    pub(super) kubectl: Kubectl,
    /// The server that dials: pfsnoop, or containerd.
    pub(super) server: u32,
    /// What kubectl talks to: pfsnoop, or the stub.
    process: Server,
    has_stub: bool,
}

/// A server that kubectl talks to.
struct Server {
    child: Child,
    kubeconfig: PathBuf,
}

/// CPU time in seconds, by who took it.
#[derive(Clone, Copy)]
pub(super) struct Cpu {
    pub(super) server: f64,
    pub(super) stub: f64,
    pub(super) kubectl: f64,
}

impl Route {
    const fn of_peer(name: &'static str, has_tls: bool) -> Self {
        Self { name, transport: Transport::Spdy, through: Through::Stub { has_tls } }
    }

    const fn of_pfsnoop(name: &'static str, dialer: &'static str, transport: Transport) -> Self {
        Self { name, transport, through: Through::Pfsnoop { dialer } }
    }

    /// Starts the server and its kubectl.
    pub(super) fn start(self, containerd: &Containerd) -> Result<RunningRoute> {
        let kubeconfig = Path::new(FOLDER).join("kubeconfig");
        let process = match self.through {
            Through::Stub { has_tls } => {
                let mut stub = Command::new(std::env::current_exe()?);
                stub.args(["api-stub", &containerd.sandbox]).arg(&kubeconfig);
                Server::start(stub.args(has_tls.then_some("--tls")), kubeconfig)?
            }
            Through::Pfsnoop { dialer } => {
                let mut pfsnoop = Command::new(dist::binary());
                pfsnoop.args(["serve", "--port", "0", "--dialer", dialer, "--kubeconfig"]);
                pfsnoop.arg(&kubeconfig);
                let runtime = format!("unix://{SOCKET}");
                Server::start(pfsnoop.args(["--runtime-endpoint", &runtime]), kubeconfig)?
            }
        };
        let kubectl = Kubectl::start(&process.kubeconfig, self.transport)?;
        let has_stub = matches!(self.through, Through::Stub { .. });
        let server = if has_stub { containerd.pid() } else { process.child.id() };
        Ok(RunningRoute { kubectl, server, process, has_stub })
    }
}

impl RunningRoute {
    /// CPU time so far, with that of helpers that were reaped.
    pub(super) fn cpu(&self) -> Result<Cpu> {
        let stub = if self.has_stub { cpu_seconds(self.process.child.id())? } else { 0.0 };
        let (server, kubectl) = (cpu_seconds(self.server)?, cpu_seconds(self.kubectl.pid())?);
        Ok(Cpu { server, stub, kubectl })
    }
}

impl Cpu {
    /// Each, scaled.
    pub(super) fn since(self, before: Self, scale: f64) -> Self {
        let Self { server, stub, kubectl } = self;
        Self {
            server: (server - before.server) * scale,
            stub: (stub - before.stub) * scale,
            kubectl: (kubectl - before.kubectl) * scale,
        }
    }
}

impl Server {
    /// Starts it, and waits for its kubeconfig, which appears whole.
    fn start(command: &mut Command, kubeconfig: PathBuf) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().with_context(|| format!("{command:?}"))?;
        let mut server = Self { child, kubeconfig };
        let deadline = Instant::now() + START_TIMEOUT;
        while !fs::exists(&server.kubeconfig)? {
            if Instant::now() > deadline || server.child.try_wait()?.is_some() {
                bail!("{command:?} does not serve");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        // The next server must not be taken for this one.
        let _ = fs::remove_file(&self.kubeconfig);
    }
}
