//! One connection, from accept to the report of its end.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::arrival::Arrival;
use super::dial::{Connection, Helper};
use super::event::{Accepted, ForwardEvent, Report, Upstream};
use super::failure::Failure;
use super::helper_side::HelperSide;
use super::kernel_ends::KernelEnd;
use super::relay;
use super::relay_end::{RelayEnd, RelayError};
use super::relayed::Relayed;
use super::shared::Shared;
use super::stream::{Duplex, Socket};
use crate::host::clock;
use crate::model::Outcome;

/// Serves one client, and reports how the connection started and ended.
pub(super) async fn serve(arrival: Arrival, shared: Arc<Shared>) {
    let start = Instant::now();
    let (accepted, event) = arrival.accept(&shared);
    shared.report(event).await;
    let relayed = Relayed::default();
    let mut upstream = Upstream::default();
    let dialed = tokio::select! {
        dialed = arrival.dial(&shared) => dialed,
        error = arrival.reset() => Err(Failure::Relay(RelayError::Client(error))),
        () = shared.ending.cancelled() => Err(Failure::Stopped),
    };
    let (client, stream) = arrival.into_duplex();
    let result = match dialed {
        Ok((connection, destination)) => {
            upstream = connection.upstream();
            let kernel = shared.kernel_end_of(&upstream);
            shared.report(ForwardEvent::Dialed(accepted, upstream, destination)).await;
            let answer = Answer { accepted, shared: &shared };
            let Connection { duplex, mut helper, .. } = connection;
            let gone = stream.as_ref().map(|stream| &stream.gone);
            relay(client, gone, duplex, &mut helper, &relayed, answer, kernel.as_ref()).await
        }
        Err(failure) => {
            // An end alone would look like an empty answer.
            if let Ok(Duplex { to, .. }) = client {
                to.socket().iter().for_each(Socket::reset_on_close);
            }
            Err(failure)
        }
    };
    if let Some(stream) = stream {
        stream.answer(&result, accepted.via);
    }
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

/// Relays until the connection ends, or until the forwarder ends it. The helper has ended then.
async fn relay(
    client: io::Result<Duplex>,
    gone: Option<&CancellationToken>,
    Duplex { from: from_target, to }: Duplex,
    helper: &mut Option<Helper>,
    relayed: &Relayed,
    answer: Answer<'_>,
    kernel: Option<&KernelEnd>,
) -> Result<RelayEnd, Failure> {
    let Answer { shared, .. } = answer;
    let client = client.map_err(Failure::BadClient)?;
    let sockets = [client.to.socket(), to.socket()];
    let mut to_target = Some(to);
    let mut answer = Some(answer);
    if helper.is_none() {
        report_answer(&mut answer).await;
    }
    let first_byte = async {
        relayed.first_from_pod().await;
        report_answer(&mut answer).await;
        pending().await
    };
    let side = HelperSide { helper: helper.as_ref(), kernel };
    let too_late = async {
        match helper.as_ref() {
            Some(helper) => helper.connects_too_late().await,
            None => pending().await,
        }
    };
    let result = tokio::select! {
        // In its place: a future that is moved takes its room twice, and each connection has one.
        ended = relay::run(client, gone, from_target, &mut to_target, side, &shared.budget, relayed) => {
            ended.map_err(Failure::from)
        }
        never = first_byte => never,
        never = side.watch_server() => never,
        failure = too_late => Err(failure),
        () = shared.ending.cancelled() => Err(Failure::Stopped),
    };
    if matches!(result, Err(Failure::Stopped)) {
        sockets.into_iter().flatten().for_each(Socket::reset_at_exit);
    }
    let Some(helper) = helper.take() else { return result };
    let end = match result {
        Ok(end) => end,
        Err(failure) => {
            end_helper(helper, &failure, relayed).await;
            return Err(failure);
        }
    };
    drop(to_target);
    match helper.wait_or_end(shared.ending.cancelled()).await {
        // socat 1.8 fails after a reset, whenever it comes.
        Err(failure) if end == RelayEnd::ResetAfterEnd && failure.outcome() == Outcome::Failed => {}
        ended => ended?,
    }
    // The helper succeeded, so it was connected. It gives no other sign of that.
    report_answer(&mut answer).await;
    match end {
        RelayEnd::CutOff => {
            let error = io::ErrorKind::ConnectionReset.into();
            Err(Failure::Relay(RelayError::Target(error)))
        }
        end => Ok(end),
    }
}

/// Ends a helper whose relay has failed.
async fn end_helper(helper: Helper, failure: &Failure, relayed: &Relayed) {
    match failure {
        Failure::Stopped => helper.stop().await,
        Failure::Relay(RelayError::Client(_)) => helper.reset(relayed.bytes().0).await,
        _ => helper.end().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each open connection takes this much memory, in bytes.
    const MAX_SIZE: usize = 7600;

    fn size_of_future<A, B, F: Future>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_takes_no_more_memory_than_it_did() {
        let size = size_of_future(serve);
        assert!(size <= MAX_SIZE, "{size} bytes");
    }
}
