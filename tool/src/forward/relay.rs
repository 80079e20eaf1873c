//! Relays bytes between a client and the target, in each direction until that direction ends.

use std::future::pending;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::client_gone::{self, ClientGone};
use super::copy::{CopyError, copy};
use super::helper_side::HelperSide;
use super::peer_watch;
use super::pipe::Pipe;
use super::relay_end::{RelayEnd, RelayError, TargetEnd, is_reset};
use super::relayed::Relayed;
use super::stream::{Duplex, ReadHalf, Socket, WriteHalf};
use crate::host::socket_buffer::SocketBuffer;

/// Relays until the connection is over, or one side has reset it.
///
/// The end of one direction is passed on (half-close) and does not end the other direction. A reset
/// is passed on as a reset, so that neither side mistakes incomplete data for complete data.
///
/// `gone` is the reset of a client that has a stream instead of a socket.
///
/// When the client's direction has ended, `to_target` is `None`. If the relay fails, the caller
/// decides what the target sees when it drops `to_target`.
pub(super) async fn run(
    client: Duplex,
    gone: Option<&CancellationToken>,
    from_target: ReadHalf,
    to_target: &mut Option<WriteHalf>,
    helper: HelperSide<'_>,
    budget: &Budget,
    relayed: &Relayed,
) -> Result<RelayEnd, RelayError> {
    let pipe = |client| Pipe::new(budget, client).map_err(RelayError::NoPipe);
    let (pipe_up, pipe_down) = (pipe(SocketBuffer::Receive)?, pipe(SocketBuffer::Send)?);
    // A socket reports its error once. If a write gets it, the next read sees a normal end.
    let target_error = from_target.error.map_or_else(OnceLock::new, OnceLock::from);
    let client_ended = AtomicBool::new(false);
    let has_client_ended = || client_ended.load(Ordering::Relaxed);
    // The client's end may be here, and not be passed on yet.
    let is_after_clients_end = || has_client_ended() || client.from.is_exhausted();
    let client_gone = ClientGone::new(gone);
    let client_socket = client.to.socket();
    let target_socket = to_target.as_ref().and_then(WriteHalf::socket);
    // Pinned where they are made: a future that is moved takes its room twice.
    let up = pin!(async {
        let Some(to) = to_target.as_ref() else { return Ok(()) };
        match copy(&client.from, to, pipe_up, &relayed.to_pod, pending()).await {
            Err(CopyError::Read(error)) => return Err(RelayError::Client(error)),
            // The target may stop reading. `down` still relays what the target has sent.
            Err(CopyError::Write(error)) => _ = target_error.get_or_init(|| error.kind()),
            Ok(()) if client_gone.has_reset() => return Err(client_gone::reset()),
            Ok(()) => {
                client_ended.store(true, Ordering::Relaxed);
                if let Err(error) = to.finish() {
                    target_error.get_or_init(|| error.kind());
                }
                // Dropping a pipe closes it.
                *to_target = None;
            }
        }
        Ok(())
    });
    let up = pin!(async {
        tokio::select! {
            ended = up => ended,
            () = helper.exited() => Ok(()),
        }
    });
    let down = pin!(async {
        match copy(&from_target, &client.to, pipe_down, &relayed.from_pod, helper.ended(relayed))
            .await
        {
            Err(CopyError::Read(error)) if is_reset(&error) && is_after_clients_end() => {
                Ok(RelayEnd::ResetAfterEnd)
            }
            Err(CopyError::Read(error)) => Err(RelayError::Target(error)),
            Err(CopyError::Write(error)) => Err(RelayError::Client(error)),
            Ok(()) => match target_error.get() {
                Some(&error) if target_socket.is_some() => {
                    let error = error.into();
                    if is_reset(&error) && is_after_clients_end() {
                        Ok(RelayEnd::ResetAfterEnd)
                    } else {
                        Err(RelayError::Target(error))
                    }
                }
                _ => match helper.target_end(has_client_ended(), relayed).await {
                    TargetEnd::Complete => {
                        client_gone.note_targets_end();
                        client.to.finish().map(|()| RelayEnd::Ended).map_err(RelayError::Client)
                    }
                    TargetEnd::GivenUp => Ok(RelayEnd::GivenUp),
                    TargetEnd::Reset if is_after_clients_end() => Ok(RelayEnd::ResetAfterEnd),
                    TargetEnd::Reset => Ok(RelayEnd::CutOff),
                },
            },
        }
    });
    let ended = tokio::select! {
        ended = async { tokio::try_join!(up, down).map(|((), end)| end) } => ended,
        ended = client_gone.wait(client_socket.as_ref()) => ended,
        error = peer_watch::gone(target_socket.as_ref()) => Err(RelayError::Target(error)),
        error = helper.vanished() => Err(RelayError::Target(error)),
    };
    match &ended {
        Ok(RelayEnd::Ended) | Err(RelayError::NoPipe(_)) => {}
        Err(RelayError::Client(_)) => reset(target_socket.as_ref()).await,
        Err(RelayError::Target(_)) | Ok(_) => {
            reset(client_socket.as_ref()).await;
        }
    }
    ended
}

/// Has the kernel reset a side when it is closed.
async fn reset(side: Option<&Socket>) {
    if let Some(socket) = side {
        socket.flushed().await;
        socket.reset_on_close();
    }
}
