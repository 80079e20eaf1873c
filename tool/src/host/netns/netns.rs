//! Sockets in other network namespaces.
//!
//! A socket stays in the namespace in which it was made, and any thread may use it. So
//! one thread enters the namespace and makes the sockets there. All other threads stay outside.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::sync::oneshot;

use super::foreign;
use super::interfaces::{addresses_here, loopback_is_up_here};
use super::listeners::listening_here;
use crate::host::privileges::{give_up_all, on_entering_thread};
use crate::host::sock_diag::{Connection, connections_here};

/// Work for the thread inside the namespace.
type Job = Box<dyn FnOnce() + Send>;

/// A network namespace that is held open: it exists for as long as this value, even without
/// processes.
#[derive(Debug)]
pub struct Netns {
    inode: u64,
    jobs: Mutex<Sender<Job>>,
}

impl Netns {
    /// Opens the namespace of a file such as `/proc/PID/ns/net` or `/run/netns/NAME`. Any other file
    /// is not even opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let file = foreign::open(path)?;
        let inode = file.metadata()?.ino();
        let jobs = on_entering_thread(move || start_inside(file))??;
        Ok(Self { inode, jobs: Mutex::new(jobs) })
    }

    /// Inode of the namespace, unique while the namespace exists.
    #[must_use]
    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// Makes a TCP socket inside the namespace: not connected, non-blocking.
    pub async fn tcp_socket(&self, is_ipv6: bool) -> io::Result<OwnedFd> {
        let family = if is_ipv6 { AddressFamily::INET6 } else { AddressFamily::INET };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        self.run(move || socket_with(family, SocketType::STREAM, flags, None))
            .await?
            .map_err(Into::into)
    }

    /// The addresses of the namespace's interfaces, without the loopback interface and link-local
    /// addresses.
    pub async fn addresses(&self) -> io::Result<Vec<IpAddr>> {
        self.run(addresses_here).await?
    }

    /// The addresses on which processes listen for TCP, sorted by port.
    pub async fn listeners(&self) -> io::Result<Vec<SocketAddr>> {
        self.run(listening_here).await?
    }

    /// The TCP connections to this port that begin inside.
    pub async fn connections_to(&self, port: u16) -> io::Result<Vec<Connection>> {
        self.run(move || connections_here(port)).await?
    }

    /// Whether the loopback interface is up. Without it, not even localhost can be reached.
    pub async fn loopback_is_up(&self) -> io::Result<bool> {
        self.run(loopback_is_up_here).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (sender, receiver) = oneshot::channel();
        // The caller may have given up.
        let job = Box::new(move || drop(sender.send(job())));
        let jobs = self.jobs.lock().map_err(|_| gone())?.clone();
        jobs.send(job).map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())
    }
}

/// Starts a thread inside the namespace of this file.
fn start_inside(file: File) -> io::Result<Sender<Job>> {
    let (entered, outcome) = channel();
    let (jobs, queue) = channel::<Job>();
    let thread = std::thread::Builder::new().name("netns".to_owned());
    thread.spawn(move || {
        let result = move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network));
        // Whoever may do nothing on the node may still make sockets.
        give_up_all();
        let is_inside = result.is_ok();
        // The starter waits for this.
        let _ = entered.send(result);
        if is_inside {
            // Ends when the last `Netns` is dropped, and the thread with it.
            for job in queue {
                job();
            }
        }
    })?;
    outcome.recv().map_err(io::Error::other)??;
    Ok(jobs)
}

fn gone() -> io::Error {
    io::Error::other("the thread in the network namespace has ended")
}
