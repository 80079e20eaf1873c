//! Carrying bytes both ways between a client and the target, each direction for as long as it
//! takes.

use std::io;

use super::count::Count;
use super::stream::{Broke, Duplex, carry};

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
        self.from_pod.first().await;
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
pub(super) async fn run(
    client: Duplex,
    target: Duplex,
    until: Until,
    carried: &Carried,
) -> Result<(), Broken> {
    let up = async {
        match carry(client.from, &target.to, &carried.to_pod).await {
            Err(Broke::Reading(error)) => {
                target.to.reset_on_close();
                Err(Broken::Client(error))
            }
            // The target need not read everything: what it has to say counts, and `down` brings it.
            // Dropping a pipe is its end.
            Ok(()) | Err(Broke::Writing(_)) => {
                drop(target.to);
                Ok(())
            }
        }
    };
    let down = async {
        match carry(target.from, &client.to, &carried.from_pod).await {
            Err(Broke::Reading(error)) => {
                client.to.reset_on_close();
                Err(Broken::Target(error))
            }
            Err(Broke::Writing(error)) => Err(Broken::Client(error)),
            Ok(()) => Ok(()),
        }
    };
    match until {
        Until::BothEnd => tokio::try_join!(up, down).map(drop),
        Until::TargetEnds => tokio::select! {
            ended = down => ended,
            Err(broken) = up => Err(broken),
        },
    }
}
