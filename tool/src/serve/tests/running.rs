//! An endpoint for one test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::docker::Docker;
use crate::serve::{
    AllowList, Endpoint, EndpointLimits, EndpointOptions, UpgradeHandler, UpgradedClient,
};

static STARTED: AtomicUsize = AtomicUsize::new(0);

/// An endpoint that runs, in front of a Docker with recorded answers.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) kubeconfig: PathBuf,
    pub(super) docker: Docker,
    /// The connections that have become forwards.
    pub(super) upgraded: mpsc::Receiver<UpgradedClient>,
    ending: CancellationToken,
    task: JoinHandle<()>,
    folder: PathBuf,
}

struct Sender(mpsc::Sender<UpgradedClient>);

impl UpgradeHandler for Sender {
    async fn serve(&self, client: UpgradedClient) {
        let ending = client.ending.clone();
        let _ = self.0.send(client).await;
        ending.cancelled().await;
    }
}

/// Limits that a test need not wait for.
pub(super) fn short() -> EndpointLimits {
    let stranger_time = Duration::from_millis(300);
    EndpointLimits { stranger_time, ending_time: Duration::from_millis(200), ..Default::default() }
}

impl Running {
    /// Must be called within a tokio runtime.
    pub(super) fn start() -> Self {
        Self::start_with(EndpointLimits::default(), &[])
    }

    pub(super) fn start_with(limits: EndpointLimits, allow: &[&str]) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("pfsnoop-serve-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let docker = Docker::start(&folder.join("docker.sock"));
        let endpoint = Endpoint::bind(EndpointOptions {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            kubeconfig: folder.join("kubeconfig"),
            runtimes: docker.runtimes(),
            allowed: AllowList::new(allow.iter().map(|text| text.parse().unwrap()).collect()),
            limits,
        });
        let endpoint = endpoint.unwrap();
        let (address, kubeconfig) = (endpoint.address(), endpoint.kubeconfig().to_owned());
        let (sender, upgraded) = mpsc::channel(8);
        let ending = CancellationToken::new();
        let task = tokio::spawn(endpoint.run(Sender(sender), ending.clone()));
        Self { address, kubeconfig, docker, upgraded, ending, task, folder }
    }

    /// A client that trusts the endpoint, with the token.
    pub(super) fn client(&self) -> Client {
        Client::of(&self.kubeconfig, self.address)
    }

    /// Ends the endpoint, and waits until it has ended.
    pub(super) async fn end(self) {
        self.ending.cancel();
        self.task.await.unwrap();
        assert!(!self.kubeconfig.exists(), "the kubeconfig is removed");
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}
