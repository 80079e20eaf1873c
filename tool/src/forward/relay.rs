//! Carrying bytes both ways between a client and the target, each direction for as long as it
//! takes.

use std::future::pending;
use std::io;
use std::sync::OnceLock;

use super::count::Count;
use super::stream::{Broke, Duplex, Passage, Socket, carry};

/// Bytes that have arrived, each way.
#[derive(Debug, Default)]
pub(super) struct Carried {
    to_pod: Count,
    from_pod: Count,
}

impl Carried {
    /// To the pod, and from it.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.to_pod.get(), self.from_pod.get())
    }

    /// Waits for the pod's first byte to arrive.
    pub(super) async fn answered(&self) {
        self.from_pod.some().await;
    }
}

/// Which side ended a connection before its time.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The client reset the connection, or reads no more.
    #[error("the client went away")]
    Client(#[source] io::Error),
    /// The target reset the connection.
    #[error("the target broke the connection off")]
    Target(#[source] io::Error),
    /// Too many files are open to begin.
    #[error("cannot carry anything; `ulimit -n` shows how many files may be open")]
    NoPipe(#[source] io::Error),
}

/// When a connection is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Both sides have ended: each may go on sending for as long as it likes.
    BothEnd,
    /// The target's side has ended: it is a helper that is about to exit.
    TargetEnds,
}

/// Carries until the connection is over, or one side has broken off.
///
/// Each side's end of sending is passed on (half-close) and does not end the other direction. A
/// side that breaks off is passed on too: as a reset, so that nobody takes a part for the whole.
/// Once `enough` is ready and the client has nothing more to send at the moment, its end is passed
/// on as if it had come.
pub(super) async fn run(
    client: Duplex,
    target: Duplex,
    until: Until,
    enough: impl Future<Output = ()>,
    carried: &Carried,
) -> Result<(), Broken> {
    let passages = Passage::new().and_then(|up| Ok((up, Passage::new()?)));
    let (way_up, way_down) = passages.map_err(Broken::NoPipe)?;
    // A write that fails takes the socket's one error: reading then finds what looks like an end.
    let target_broke = OnceLock::new();
    let (client_socket, target_socket) = (client.to.socket(), target.to.socket());
    let up = async {
        match carry(client.from, &target.to, way_up, &carried.to_pod, enough).await {
            Err(Broke::Reading(error)) => Err(Broken::Client(error)),
            // The target need not read everything: what it has said counts, and `down` brings it.
            Err(Broke::Writing(error)) => {
                target_broke.get_or_init(|| error.kind());
                Ok(())
            }
            Ok(()) => {
                if let Err(error) = target.to.finish() {
                    target_broke.get_or_init(|| error.kind());
                }
                // Dropping a pipe is its end.
                drop(target.to);
                Ok(())
            }
        }
    };
    let down = async {
        match carry(target.from, &client.to, way_down, &carried.from_pod, pending()).await {
            Err(Broke::Reading(error)) => Err(Broken::Target(error)),
            Err(Broke::Writing(error)) => Err(Broken::Client(error)),
            Ok(()) => match target_broke.get() {
                Some(&error) if target_socket.is_some() => Err(Broken::Target(error.into())),
                _ => client.to.finish().map_err(Broken::Client),
            },
        }
    };
    let ended = match until {
        Until::BothEnd => tokio::try_join!(up, down).map(drop),
        Until::TargetEnds => tokio::select! {
            ended = down => ended,
            Err(broken) = up => Err(broken),
        },
    };
    match &ended {
        Ok(()) | Err(Broken::NoPipe(_)) => {}
        Err(Broken::Client(_)) => target_socket.iter().for_each(Socket::reset_on_close),
        Err(Broken::Target(_)) => client_socket.iter().for_each(Socket::reset_on_close),
    }
    ended
}
