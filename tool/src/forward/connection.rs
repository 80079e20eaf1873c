//! One connection, from accept to the report of its end.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::Interest;
use tokio::net::TcpStream;

use super::dial::{Connection, Helper};
use super::event::{Accepted, ForwardEvent, Report, Upstream};
use super::failure::Failure;
use super::helper_side::HelperSide;
use super::kernel_ends::KernelEnd;
use super::live_target::Current;
use super::relay;
use super::relay_end::{RelayEnd, RelayError};
use super::relayed::Relayed;
use super::shared::Shared;
use super::stream::{Duplex, Socket, limit_buffer};
use crate::host::clock;
use crate::host::socket_buffer::SocketBuffer;
use crate::model::{Outcome, PortPair};

/// Serves one client, and reports how the connection started and ended.
pub(super) async fn serve(client: TcpStream, ports: PortPair, shared: Arc<Shared>) {
    let start = Instant::now();
    // The listener's limit would also be one of the window, for good (`tcp_openreq_init_rwin`,
    // net/ipv4/tcp_minisocks.c).
    limit_buffer(SocketBuffer::Receive, &client);
    let (accepted, destination) = shared.accept(ports);
    shared.report(ForwardEvent::Accepted(accepted, destination, None)).await;
    let relayed = Relayed::default();
    let mut upstream = Upstream::default();
    let dialed = tokio::select! {
        dialed = admit_and_dial(&shared, &client, ports) => dialed,
        error = reset_of(&client) => Err(Failure::Relay(RelayError::Client(error))),
        () = shared.ending.cancelled() => Err(Failure::Stopped),
    };
    let result = match dialed {
        Ok((connection, Current { destination, .. })) => {
            upstream = connection.upstream();
            let kernel = shared.kernel_end_of(&upstream);
            shared.report(ForwardEvent::Dialed(accepted, upstream, destination)).await;
            let answer = Answer { accepted, shared: &shared };
            relay(client, connection, &relayed, answer, kernel.as_ref()).await
        }
        Err(failure) => {
            // An end alone would look like an empty answer.
            if let Ok(Duplex { to, .. }) = Duplex::of_client(client) {
                to.socket().iter().for_each(Socket::reset_on_close);
            }
            Err(failure)
        }
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

/// Waits until the client resets the connection. One that has only ended its side may still wait for
/// an answer.
async fn reset_of(client: &TcpStream) -> io::Error {
    match client.ready(Interest::ERROR).await {
        Ok(_) => io::ErrorKind::ConnectionReset.into(),
        Err(error) => error,
    }
}

/// Connects to the target, if the client may use the forward.
async fn admit_and_dial(
    shared: &Shared,
    client: &TcpStream,
    ports: PortPair,
) -> Result<(Connection, Current), Failure> {
    if let Some(allowed) = &shared.allowed_users {
        allowed.check(client)?;
    }
    dial(shared, ports).await
}

/// Connects to the target, unless that leads back to this forward. Waits for a target that restarts.
async fn dial(shared: &Shared, ports: PortPair) -> Result<(Connection, Current), Failure> {
    let Shared { live, dialer, own_listeners, .. } = shared;
    let mut wait = live.wait();
    loop {
        let current = tokio::select! {
            biased;
            current = wait.target(ports.remote) => current?,
            () = shared.draining.cancelled() => return Err(Failure::Stopped),
        };
        let target = &current.target;
        own_listeners.check(ports, target, dialer.via(target))?;
        let result = tokio::select! {
            result = dialer.dial(target, ports.remote) => result,
            () = live.ended(&current) => target.check().map_err(Failure::TargetGone).and(Err(Failure::Stopped)),
        };
        match result {
            // No byte of the client has been taken yet.
            Err(Failure::TargetGone(_)) if target.check().is_err() => {}
            result => return result.map(|connection| (connection, current)),
        }
    }
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
    kernel: Option<&KernelEnd>,
) -> Result<RelayEnd, Failure> {
    let Connection { duplex: Duplex { from: from_target, to }, helper, .. } = connection;
    let Answer { shared, .. } = answer;
    let client = Duplex::of_client(client).map_err(Failure::BadClient)?;
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
        match &helper {
            Some(helper) => helper.connects_too_late().await,
            None => pending().await,
        }
    };
    let result = tokio::select! {
        // In its place: a future that is moved takes its room twice, and each connection has one.
        ended = relay::run(client, from_target, &mut to_target, side, &shared.budget, relayed) => {
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
    let Some(helper) = helper else { return result };
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
