//! One connection, from accept to its report.

use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::dial::Connection;
use super::notice::{Begun, FarEnd, Notice, Report};
use super::relay::{self, Carried, Until};
use super::stream::Duplex;
use super::{Failure, Phase, PortPair, Shared};
use crate::node::clock;

/// Serves one client; tells how it began and how it ended.
pub(super) async fn serve(
    client: TcpStream,
    pair: PortPair,
    shared: Arc<Shared>,
    mut phase: watch::Receiver<Phase>,
) {
    let start = Instant::now();
    let begun = shared.begin(pair);
    shared.tell(Notice::Handling(begun)).await;
    let carried = Carried::default();
    let mut far_end = FarEnd::default();
    let dialed = tokio::select! {
        dialed = shared.dialer.dial(&shared.target, pair.remote) => dialed,
        () = ending(&mut phase) => Err(Failure::Stopped),
    };
    let end = match dialed {
        Ok(connection) => {
            far_end = connection.far_end();
            shared.tell(Notice::Dialed(begun, far_end)).await;
            let answer = Answer { begun, shared: &shared };
            carry(client, connection, &carried, answer, phase).await
        }
        Err(failure) => Err(failure),
    };
    let (mut bytes_to_pod, bytes_from_pod) = carried.bytes();
    if end.as_ref().is_err_and(|failure| failure.outcome().is_of_connecting()) {
        // A helper took them, and could not pass them on.
        bytes_to_pod = 0;
    }
    let (time_ns, duration) = (clock::boottime_ns(), start.elapsed());
    let report = Report { begun, time_ns, far_end, bytes_to_pod, bytes_from_pod, duration, end };
    shared.tell(Notice::Closed(report)).await;
}

/// Waits until connections are ended.
async fn ending(phase: &mut watch::Receiver<Phase>) {
    // An error: the forwarder is gone, and its connections end too.
    let _ = phase.wait_for(|&phase| phase == Phase::Ending).await;
}

/// The target's answer, which is told once.
struct Answer<'a> {
    begun: Begun,
    shared: &'a Shared,
}

async fn tell(answer: &mut Option<Answer<'_>>) {
    let Some(Answer { begun, shared }) = answer.take() else { return };
    shared.tell(Notice::Connected(begun, clock::boottime_ns())).await;
}

/// Carries until the end, or until told to end.
async fn carry(
    client: TcpStream,
    connection: Connection,
    carried: &Carried,
    answer: Answer<'_>,
    mut phase: watch::Receiver<Phase>,
) -> Result<(), Failure> {
    let Connection { duplex, helper, .. } = connection;
    let until = if helper.is_some() { Until::TargetEnds } else { Until::BothEnd };
    let client = Duplex::of_socket(client).map_err(Failure::BadClient)?;
    let mut answer = Some(answer);
    if helper.is_none() {
        tell(&mut answer).await;
    }
    let first_byte = async {
        carried.answered().await;
        tell(&mut answer).await;
        pending().await
    };
    let enough = async {
        match &helper {
            Some(helper) => helper.server_ended(carried).await,
            None => pending().await,
        }
    };
    let relaying = relay::run(client, duplex, until, enough, carried);
    let relayed = tokio::select! {
        relayed = relaying => relayed.map_err(Failure::from),
        never = first_byte => never,
        () = ending(&mut phase) => Err(Failure::Stopped),
    };
    let Some(helper) = helper else { return relayed };
    if let Err(failure) = relayed {
        helper.end().await;
        return Err(failure);
    }
    helper.wait_or_end(ending(&mut phase)).await?;
    // It connected, or it would have failed: a helper gives no other sign.
    tell(&mut answer).await;
    Ok(())
}
