//! One connection, from accept to its report.

use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::dial::Connection;
use super::relay::{self, Carried, Until};
use super::stream::Duplex;
use super::{Failure, Notice, PortPair, Report, Shared};

/// Serves one client; tells how it began and how it ended.
pub(super) async fn serve(
    client: TcpStream,
    pair: PortPair,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let start = Instant::now();
    // Whoever reads the notices may be gone: then nobody wants to know.
    let _ = shared.notices.send(Notice::Handling(pair));
    let carried = Carried::default();
    let (mut address, mut end) = (None, Ok(()));
    let dialed = tokio::select! {
        dialed = shared.dialer.dial(&shared.target, pair.remote) => Some(dialed),
        _ = stop.wait_for(|&stop| stop) => None,
    };
    match dialed {
        Some(Ok(connection)) => {
            address = connection.address;
            end = carry(client, connection, &carried, stop).await;
        }
        Some(Err(failure)) => end = Err(failure),
        None => {}
    }
    let (bytes_to_pod, bytes_from_pod) = carried.bytes();
    let duration = start.elapsed();
    let report = Report { pair, address, bytes_to_pod, bytes_from_pod, duration, end };
    let _ = shared.notices.send(Notice::Closed(report));
}

/// Carries until the end, or until told to stop, which is no failure.
async fn carry(
    client: TcpStream,
    connection: Connection,
    carried: &Carried,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let Connection { duplex, helper, address: _ } = connection;
    let until = if helper.is_some() { Until::TargetEnds } else { Until::BothEnd };
    let client = Duplex::of_socket(client).map_err(Failure::BadClient)?;
    let relayed = {
        let enough = async {
            match &helper {
                Some(helper) => helper.server_ended(carried).await,
                None => pending().await,
            }
        };
        tokio::select! {
            relayed = relay::run(client, duplex, until, enough, carried) => Some(relayed),
            _ = stop.wait_for(|&stop| stop) => None,
        }
    };
    match (relayed, helper) {
        (Some(Ok(())), Some(helper)) => helper.wait().await,
        (Some(Ok(())) | None, None) => Ok(()),
        (None, Some(helper)) => {
            helper.end().await;
            Ok(())
        }
        (Some(Err(broken)), helper) => {
            if let Some(helper) = helper {
                helper.end().await;
            }
            Err(broken.into())
        }
    }
}
