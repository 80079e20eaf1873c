//! A helper's attempt to connect, with a limit of time.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::time::Duration;

use rustix::net::sockopt::set_tcp_user_timeout;
use rustix::process::Pid;
use tokio::time::timeout;

use super::helper::Helper;
use super::server_end::ServerEnd;
use crate::forward::failure::{Failure, no_answer};
use crate::forward::stream::Duplex;
use crate::host::socat::connecting_of;

/// How long socat may wait for an answer in a test connection. With the kernel's own limit, it
/// waits for two minutes.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(4500);

/// How long socat may take to leave after a test connection: twice the half second that it waits
/// for a server that does not hang up.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

impl Helper {
    /// Waits until socat has taken too long to connect. If it connects in time, waits for ever.
    pub(in crate::forward) async fn connects_too_late(&self) -> Failure {
        if let Some(limit) = self.connect_timeout
            && timeout(limit, self.server()).await.is_err()
        {
            let source = no_answer(limit);
            return Failure::NotConnected { port: self.port, first: None, source };
        }
        // socat has connected, or its exit says why it cannot.
        pending().await
    }

    /// Waits until socat is connected, or until it ends by itself. After a failure, it has ended.
    pub(in crate::forward) async fn connected(mut self) -> Result<Option<Self>, Failure> {
        let (pid, port) = (self.raw_pid(), self.port);
        let connected = async {
            let server = ServerEnd::of(pid.ok_or(io::ErrorKind::NotFound)?, port);
            server.await.map(drop)
        };
        let timed_out = async {
            tokio::time::sleep(ANSWER_TIMEOUT).await;
            if let Some(Err(error)) = pid.map(time_out) {
                log::debug!("cannot time out socat's attempt: {error}");
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            ended = self.child.wait() => {
                ended.map_err(Failure::NotReaped)?;
                self.wait().await.map(|()| None)
            }
            Ok(()) = connected => Ok(Some(self)),
            never = timed_out => match never {},
        }
    }

    /// Has a connected socat leave, as a client without data does. A signal would make its session
    /// one that was killed.
    pub(in crate::forward) async fn leave(mut self, Duplex { from, to }: Duplex) {
        drop(to);
        // The server may send until it has seen the end. Without a reader, socat would fail.
        let left = async { tokio::join!(self.child.wait(), from.discard()) };
        if timeout(LEAVE_TIMEOUT, left).await.is_err() {
            self.reset(0).await;
        }
    }
}

/// Makes socat's attempt to connect time out when the kernel would send the next SYN: a second later
/// or, before 6.5, seven seconds after the first (tcp_write_timeout, net/ipv4/tcp_timer.c).
fn time_out(socat: Pid) -> io::Result<()> {
    Ok(set_tcp_user_timeout(connecting_of(socat)?, 1)?)
}
