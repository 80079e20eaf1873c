//! Seeing, from outside, that the server has sent everything.
//!
//! Of two ends that socat joins, the first to end gives the other half a second (`socat -t`), and
//! only then does it exit. The client of a server that closes its connection would wait for it each
//! time. So we hold a duplicate of socat's socket and tell when its end of data has come: socat
//! ends at once when its stdin ends too.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::ioctl_fionread;
use rustix::net::sockopt::socket_type;
use rustix::net::{SocketType, getpeername};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Where socat's socket is looked for: it takes the first free number after those that it opens for
/// itself (5 in 1.7.4).
const DESCRIPTORS: std::ops::Range<i32> = 3..16;

/// How long we wait before we look again whether socat has read what came before the end. That
/// takes as long as the client takes; no event tells of it.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// socat's connection to the server.
pub(super) struct ServerEnd {
    socket: OwnedFd,
    /// Readable once the server has ended its direction, and not for its data.
    hang_up: AsyncFd<OwnedFd>,
}

impl ServerEnd {
    /// Of a socat that is connected; `helper` is a child of ours, not reaped yet.
    pub(super) fn of(helper: Pid) -> io::Result<Self> {
        let helper = pidfd_open(helper, PidfdFlags::empty())?;
        let duplicate = |number| pidfd_getfd(&helper, number, PidfdGetfdFlags::empty());
        let mut found = DESCRIPTORS.filter_map(|number| duplicate(number).ok());
        let socket = found.find(is_connection).ok_or(io::ErrorKind::NotFound)?;
        let hang_up = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&hang_up, &socket, EventData::new_u64(0), EventFlags::RDHUP)?;
        // SAFETY: the descriptor is owned, and stays the same while it is registered.
        let hang_up = unsafe { AsyncFd::register_with_interest(hang_up, Interest::READABLE)? };
        Ok(Self { socket, hang_up })
    }

    /// Waits until the server has ended its direction and socat has read all of it.
    pub(super) async fn wait(self) -> io::Result<()> {
        // Never cleared: once it is ready it stays so.
        let _ready = self.hang_up.readable().await?;
        let mut pause = FIRST_PAUSE;
        while ioctl_fionread(&self.socket)? > 0 {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }
}

fn is_connection(socket: &OwnedFd) -> bool {
    socket_type(socket) == Ok(SocketType::STREAM) && getpeername(socket).is_ok()
}
