//! One connection, from accept to the report of its end.

use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::dial::Connection;
use super::event::{Accepted, ForwardEvent, Report, Upstream};
use super::failure::Failure;
use super::relay::{self, RelayError, Relayed, Until};
use super::shared::Shared;
use super::stream::Duplex;
use crate::host::clock;
use crate::model::PortPair;

/// Serves one client, and reports how the connection started and ended.
pub(super) async fn serve(client: TcpStream, ports: PortPair, shared: Arc<Shared>) {
    let start = Instant::now();
    let accepted = shared.accept(ports);
    shared.report(ForwardEvent::Accepted(accepted)).await;
    let relayed = Relayed::default();
    let mut upstream = Upstream::default();
    let dialed = tokio::select! {
        dialed = shared.dialer.dial(&shared.target, ports.remote) => dialed,
        () = shared.ending.cancelled() => Err(Failure::Stopped),
    };
    let result = match dialed {
        Ok(connection) => {
            upstream = connection.upstream();
            shared.report(ForwardEvent::Dialed(accepted, upstream)).await;
            let answer = Answer { accepted, shared: &shared };
            relay(client, connection, &relayed, answer, &shared.ending).await
        }
        Err(failure) => Err(failure),
    };
    let (mut bytes_to_pod, bytes_from_pod) = relayed.bytes();
    if result.as_ref().is_err_and(|failure| failure.outcome().is_without_connection()) {
        // A helper read these bytes, and could not pass them on.
        bytes_to_pod = 0;
    }
    let (time_ns, duration) = (clock::boottime_ns(), start.elapsed());
    let report =
        Report { accepted, time_ns, upstream, bytes_to_pod, bytes_from_pod, duration, result };
    shared.report(ForwardEvent::Closed(report)).await;
}

/// What it takes to report the target's answer. Taken at the first report, so there is only one.
struct Answer<'a> {
    accepted: Accepted,
    shared: &'a Shared,
}

async fn report_answer(answer: &mut Option<Answer<'_>>) {
    let Some(Answer { accepted, shared }) = answer.take() else { return };
    shared.report(ForwardEvent::Connected(accepted, clock::boottime_ns())).await;
}

/// Relays until the connection ends, or until the forwarder ends it.
async fn relay(
    client: TcpStream,
    connection: Connection,
    relayed: &Relayed,
    answer: Answer<'_>,
    ending: &CancellationToken,
) -> Result<(), Failure> {
    let Connection { duplex, helper, .. } = connection;
    let until = if helper.is_some() { Until::TargetEnds } else { Until::BothEnd };
    let client = Duplex::of_socket(client).map_err(Failure::BadClient)?;
    let mut answer = Some(answer);
    if helper.is_none() {
        report_answer(&mut answer).await;
    }
    let first_byte = async {
        relayed.first_from_pod().await;
        report_answer(&mut answer).await;
        pending().await
    };
    let enough = async {
        match &helper {
            Some(helper) => helper.server_ended(relayed).await,
            None => pending().await,
        }
    };
    let relaying = relay::run(client, duplex, until, enough, relayed);
    let result = tokio::select! {
        result = relaying => result.map_err(Failure::from),
        never = first_byte => never,
        () = ending.cancelled() => Err(Failure::Stopped),
    };
    let Some(helper) = helper else { return result };
    if let Err(failure) = result {
        if matches!(failure, Failure::Relay(RelayError::Client(_))) {
            helper.reset().await;
        } else {
            helper.end().await;
        }
        return Err(failure);
    }
    helper.wait_or_end(ending.cancelled()).await?;
    // The helper succeeded, so it was connected. It gives no other sign of that.
    report_answer(&mut answer).await;
    Ok(())
}
