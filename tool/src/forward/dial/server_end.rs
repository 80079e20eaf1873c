//! Detects from outside of socat that the server has sent everything.
//!
//! When one side of socat ends, socat waits for the other side for half a second (`socat -t`)
//! before it exits. So the client of a server that closes its connection after each response would
//! wait for half a second each time. pfsnoop therefore holds a duplicate of socat's socket, which
//! shows when the server's FIN has come. Then pfsnoop closes socat's stdin, and socat exits at
//! once.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::ioctl_fionread;
use rustix::net::sockopt::set_tcp_nodelay;
use rustix::process::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::host::socat::connection_of;

/// How long to wait before the second check of whether socat is connected, or has read everything.
/// No event announces either. The interval doubles after each check.
const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(1);
/// The interval does not grow beyond this.
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// socat's connection to the server.
pub(super) struct ServerEnd {
    socket: OwnedFd,
    /// Becomes readable when the server has ended its direction. Data does not make it readable.
    hang_up: AsyncFd<OwnedFd>,
}

impl ServerEnd {
    /// Waits until this socat, a child that is not reaped yet, is connected to `port`.
    pub(super) async fn of(helper: Pid, port: u16) -> io::Result<Self> {
        let mut interval = FIRST_POLL_INTERVAL;
        let socket = loop {
            match connection_of(helper, port) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                found => break found?,
            }
            tokio::time::sleep(interval).await;
            interval = (interval * 2).min(MAX_POLL_INTERVAL);
        };
        // The second part of a client's write must not wait for the server's delayed
        // acknowledgement of the first.
        set_tcp_nodelay(&socket, true)?;
        let hang_up = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&hang_up, &socket, EventData::new_u64(0), EventFlags::RDHUP)?;
        // SAFETY: the descriptor is owned, and stays the same while it is registered.
        let hang_up = unsafe { AsyncFd::register_with_interest(hang_up, Interest::READABLE)? };
        Ok(Self { socket, hang_up })
    }

    /// Waits until the server has ended its direction and socat has read all of it.
    pub(super) async fn wait(self) -> io::Result<()> {
        // The readiness is never cleared, so it stays.
        let _ready = self.hang_up.readable().await?;
        let mut interval = FIRST_POLL_INTERVAL;
        while ioctl_fionread(&self.socket)? > 0 {
            tokio::time::sleep(interval).await;
            interval = (interval * 2).min(MAX_POLL_INTERVAL);
        }
        Ok(())
    }
}
