//! Accepts connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::Admissions;
use super::connection::serve;
use crate::serve::api::Api;
use crate::serve::upgraded::UpgradeHandler;

/// The pause after a connection that cannot be accepted, for example because all file descriptors are in
/// use. Trying at once would fail again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Accepts connections until the endpoint ends. Each is served in a task of its own, until `stopped` is
/// cancelled.
pub(in crate::serve) async fn accept_all<H: UpgradeHandler>(
    listener: &TcpListener,
    tls: &TlsAcceptor,
    admissions: &Arc<Admissions>,
    api: &Arc<Api<H>>,
    (tasks, stopped): (&TaskTracker, &CancellationToken),
) {
    while let Some(accepted) = api.ending().run_until_cancelled(listener.accept()).await {
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                log::warn!("cannot accept a connection: {error}");
                sleep(RETRY_INTERVAL).await;
                continue;
            }
        };
        let limits = *admissions.limits();
        let visitor = admissions.enter(address);
        let serving = Box::pin(serve(stream, visitor, tls.clone(), Arc::clone(api), limits));
        let stopped = stopped.clone();
        tasks.spawn(async move { stopped.run_until_cancelled(serving).await });
    }
}
