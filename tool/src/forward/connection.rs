//! One connection, from accept to the end of its helper.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Failure, Notice, PortPair, Shared, relay};

/// Serves one client; tells how it began, and how it ended when it did not end well.
pub(super) async fn serve(
    client: TcpStream,
    pair: PortPair,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
) {
    // Whoever reads the notices may be gone: then nobody wants to know.
    let _ = shared.notices.send(Notice::Handling(pair));
    if let Err(failure) = carry(client, pair, &shared, stop).await {
        let _ = shared.notices.send(Notice::Failed(pair, failure));
    }
}

async fn carry(
    client: TcpStream,
    pair: PortPair,
    shared: &Shared,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let target = shared.target.pid().map_err(Failure::TargetGone)?;
    let (helper, streams) = shared.dialer.spawn(target, pair.remote)?;
    let relayed = tokio::select! {
        relayed = relay::run(client, streams) => Some(relayed),
        _ = stop.wait_for(|&stop| stop) => None,
    };
    match relayed {
        Some(Ok(())) => helper.wait().await,
        Some(Err(error)) => {
            helper.end().await;
            Err(Failure::Broken(error))
        }
        None => {
            helper.end().await;
            Ok(())
        }
    }
}
