//! Where one stream leads.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::dial::{Connection, Dialer};
use super::failure::Failure;
use super::own_endpoint::OwnEndpoint;
use crate::model::{Client, Destination};
use crate::target::{Target, TargetEnded};

/// How often a target that takes its time to answer is checked. A connection to a namespace whose
/// processes have ended may get no answer at all.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Where one stream leads, and for whom. The target was found just before: one that ends meanwhile is
/// not looked up again, since the client may ask again.
#[derive(Clone, Debug)]
pub struct StreamTarget {
    /// The target.
    pub target: Arc<Target>,
    /// The same for records, with the names of its owner.
    pub destination: Arc<Destination>,
    /// The id of its sandbox or container: what the kubelet calls the pod in its errors.
    pub id: Arc<str>,
    /// The port.
    pub port: u16,
    /// Who asks.
    pub client: Arc<Client>,
}

impl StreamTarget {
    /// Connects to the target, unless that leads back to the endpoint.
    pub(super) async fn dial(
        &self,
        endpoint: &OwnEndpoint,
        dialer: &dyn Dialer,
    ) -> Result<(Connection, Arc<Destination>), Failure> {
        let Self { target, destination, port, .. } = self;
        endpoint.check(*port, target, dialer.via(target))?;
        let result = tokio::select! {
            result = dialer.dial(target, *port) => result,
            ended = end_of(target) => Err(Failure::TargetGone(ended)),
        };
        match (result, target.check()) {
            (Ok(connection), _) => Ok((connection, Arc::clone(destination))),
            // The failure may only be what follows from that.
            (Err(_), Err(ended)) => Err(Failure::TargetGone(ended)),
            (Err(failure), Ok(())) => Err(failure),
        }
    }
}

/// Waits until the target has ended. Costs nothing before the first check, unlike
/// [`Target::ended`].
async fn end_of(target: &Target) -> TargetEnded {
    loop {
        sleep(CHECK_INTERVAL).await;
        if let Err(ended) = target.check() {
            return ended;
        }
    }
}
