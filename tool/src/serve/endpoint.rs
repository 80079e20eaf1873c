//! The endpoint as a whole.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::net::sockopt::set_tcp_nodelay;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::allow::AllowList;
use super::api::Api;
use super::certificate::{CertificateError, ServerCertificate};
use super::kubeconfig::{Kubeconfig, KubeconfigError, document};
use super::limits::EndpointLimits;
use super::pods::{PodCounts, PodSource};
use super::server::{Admissions, accept_all};
use super::token::{NoRandomness, Token};
use super::upgraded::UpgradeHandler;
use crate::forward::{choose_congestion, set_keepalive};
use crate::host::netns::addresses_here;
use crate::host::node::node_name;
use crate::runtime::Runtimes;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;

/// What an endpoint is made of.
#[derive(Clone, Debug)]
pub struct EndpointOptions {
    /// The address to listen on.
    pub address: IpAddr,
    /// The port to listen on; 0 for any free port.
    pub port: u16,
    /// Where the kubeconfig is written.
    pub kubeconfig: PathBuf,
    /// The runtimes that are asked for pods.
    pub runtimes: Runtimes,
    /// The pods that clients may see and reach.
    pub allowed: AllowList,
    /// What clients may use up.
    pub limits: EndpointLimits,
}

/// An endpoint that listens. Connections wait until it [runs](Self::run).
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
    tls: TlsAcceptor,
    token: Token,
    pods: PodSource,
    limits: EndpointLimits,
    /// Removed when the endpoint is dropped.
    kubeconfig: Kubeconfig,
}

/// Why there is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose with --address and --port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The kernel's error.
        source: io::Error,
    },
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] NoRandomness),
    /// There is no kubeconfig.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
}

impl Endpoint {
    /// Listens, and then writes the kubeconfig.
    pub fn bind(options: EndpointOptions) -> Result<Self, EndpointError> {
        let EndpointOptions { address, port, kubeconfig, runtimes, allowed, limits } = options;
        let address = SocketAddr::new(address, port);
        let failed = |source| EndpointError::Listen { address, source };
        let listener = listen(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let certificate = ServerCertificate::make(&served(address.ip()))?;
        let token = Token::random()?;
        let text = document(reachable(address), &certificate.authority, &token);
        let kubeconfig = Kubeconfig::write(&kubeconfig, &text)?;
        let tls = TlsAcceptor::from(certificate.tls);
        let pods = PodSource::new(runtimes, allowed);
        Ok(Self { listener, address, tls, token, pods, limits, kubeconfig })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The path of the kubeconfig, absolute.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        self.kubeconfig.path()
    }

    /// What clients see now. If no runtime answers, the error says which were asked.
    pub async fn count_pods(&self) -> Result<PodCounts, String> {
        Ok(PodCounts::of(&self.pods.list().await?.pods))
    }

    /// Serves clients until `ending` is cancelled. The handler gets each connection that has become a
    /// port-forward, in a task of its own; what is left of them is dropped soon after the end.
    pub async fn run<H: UpgradeHandler>(self, handler: H, ending: CancellationToken) {
        let Self { listener, tls, token, pods, limits, kubeconfig, .. } = self;
        let (tasks, stopped) = (TaskTracker::new(), CancellationToken::new());
        let admissions = Admissions::new(limits);
        let node = node_name();
        let forwards = (tasks.clone(), stopped.clone());
        let api = Arc::new(Api::new(token, pods, node, handler, forwards, ending));
        accept_all(&listener, &tls, &admissions, &api, (&tasks, &stopped)).await;
        // From here on, the token opens nothing.
        drop((listener, kubeconfig));
        tasks.close();
        if timeout(limits.ending_time, tasks.wait()).await.is_err() {
            stopped.cancel();
            tasks.wait().await;
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit both.
    set_tcp_nodelay(&socket, true)?;
    set_keepalive(&socket)?;
    choose_congestion(&socket, address.ip());
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The addresses by which clients may know the endpoint.
fn served(ip: IpAddr) -> Vec<IpAddr> {
    if ip.is_unspecified() { addresses_here().unwrap_or_default() } else { vec![ip] }
}

/// An address at which clients of this node reach it: nothing connects to `0.0.0.0`.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let localhost = match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        address.set_ip(localhost);
    }
    address
}
