//! Relays bytes between a client and the target, in each direction until that direction ends. With a
//! helper, the relay is over when the target's side ends.

use std::future::pending;
use std::io;
use std::sync::OnceLock;

use super::count::Count;
use super::stream::{CopyError, Duplex, Socket, SplicePipe, copy};

/// Bytes that have arrived in each direction.
#[derive(Debug, Default)]
pub(super) struct Relayed {
    to_pod: Count,
    from_pod: Count,
}

impl Relayed {
    /// Bytes to the pod, and from it.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.to_pod.get(), self.from_pod.get())
    }

    /// Waits for the pod's first byte.
    pub(super) async fn first_from_pod(&self) {
        self.from_pod.first().await;
    }
}

/// Why a relay failed.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The client reset the connection, or no longer reads.
    #[error("the client closed the connection early")]
    Client(#[source] io::Error),
    /// The target reset the connection.
    #[error("the target reset the connection")]
    Target(#[source] io::Error),
    /// Too many files are open to start.
    #[error("cannot make a pipe; `ulimit -n` shows how many files may be open")]
    NoPipe(#[source] io::Error),
}

/// When a relay is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Both sides have ended. After one side has ended, the other may continue for any time.
    BothEnd,
    /// The target's side has ended: the helper is about to exit.
    TargetEnds,
}

/// Relays until the connection is over, or one side has reset it.
///
/// The end of one direction is passed on (half-close) and does not end the other direction. A reset
/// is passed on as a reset, so that neither side takes a part of the data for all of it. Once
/// `enough` is ready and the client has nothing to send at the moment, the client's direction ends
/// as if its FIN had come.
pub(super) async fn run(
    client: Duplex,
    target: Duplex,
    until: Until,
    enough: impl Future<Output = ()>,
    relayed: &Relayed,
) -> Result<(), RelayError> {
    let pipes = SplicePipe::new().and_then(|up| Ok((up, SplicePipe::new()?)));
    let (pipe_up, pipe_down) = pipes.map_err(RelayError::NoPipe)?;
    // A socket reports its error once. If a write gets it, the next read sees a normal end.
    let target_error = OnceLock::new();
    let (client_socket, target_socket) = (client.to.socket(), target.to.socket());
    let up = async {
        match copy(client.from, &target.to, pipe_up, &relayed.to_pod, enough).await {
            Err(CopyError::Read(error)) => Err(RelayError::Client(error)),
            // The target may stop reading. `down` still relays what the target has sent.
            Err(CopyError::Write(error)) => {
                target_error.get_or_init(|| error.kind());
                Ok(())
            }
            Ok(()) => {
                if let Err(error) = target.to.finish() {
                    target_error.get_or_init(|| error.kind());
                }
                // Dropping a pipe closes it.
                drop(target.to);
                Ok(())
            }
        }
    };
    let down = async {
        match copy(target.from, &client.to, pipe_down, &relayed.from_pod, pending()).await {
            Err(CopyError::Read(error)) => Err(RelayError::Target(error)),
            Err(CopyError::Write(error)) => Err(RelayError::Client(error)),
            Ok(()) => match target_error.get() {
                Some(&error) if target_socket.is_some() => Err(RelayError::Target(error.into())),
                _ => client.to.finish().map_err(RelayError::Client),
            },
        }
    };
    let ended = match until {
        Until::BothEnd => tokio::try_join!(up, down).map(drop),
        Until::TargetEnds => tokio::select! {
            ended = down => ended,
            Err(error) = up => Err(error),
        },
    };
    match &ended {
        Ok(()) | Err(RelayError::NoPipe(_)) => {}
        Err(RelayError::Client(_)) => target_socket.iter().for_each(Socket::reset_on_close),
        Err(RelayError::Target(_)) => client_socket.iter().for_each(Socket::reset_on_close),
    }
    ended
}
