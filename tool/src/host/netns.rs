//! Sockets in other network namespaces.
//!
//! A socket belongs to the namespace in which it was made, for good, whoever uses it later. So a
//! thread enters the namespace and makes sockets there, and everybody else stays where they are.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::sync::oneshot;

use super::listeners::listening_here;

/// `NSFS_MAGIC` (include/uapi/linux/magic.h).
const NSFS_MAGIC: i64 = 0x6e73_6673;

/// What the thread is asked to do, where it is.
type Job = Box<dyn FnOnce() + Send>;

/// A network namespace that is held: it lives on while this does, even without processes.
#[derive(Debug)]
pub struct Netns {
    inode: u64,
    jobs: Mutex<Sender<Job>>,
}

impl Netns {
    /// The namespace of a file such as `/proc/PID/ns/net` or `/run/netns/NAME`.
    pub fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let file = File::open(path)?;
        let inode = file.metadata()?.ino();
        let (entered, outcome) = channel();
        let (jobs, queue) = channel::<Job>();
        let thread = std::thread::Builder::new().name("netns".to_owned());
        thread.spawn(move || {
            let result = move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network));
            let is_inside = result.is_ok();
            // Whoever asked is waiting for this.
            let _ = entered.send(result);
            if is_inside {
                // Ends when the last `Netns` is dropped, and the thread with it.
                for job in queue {
                    job();
                }
            }
        })?;
        outcome.recv().map_err(io::Error::other)??;
        Ok(Self { inode, jobs: Mutex::new(jobs) })
    }

    /// Inode of the namespace, which names it while it lives.
    #[must_use]
    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// A new TCP socket in there: not connected, non-blocking.
    pub async fn tcp_socket(&self, is_ipv6: bool) -> io::Result<OwnedFd> {
        let family = if is_ipv6 { AddressFamily::INET6 } else { AddressFamily::INET };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        self.run(move || socket_with(family, SocketType::STREAM, flags, None))
            .await?
            .map_err(Into::into)
    }

    /// The addresses of its interfaces, loopback's and link-local ones left out.
    pub async fn addresses(&self) -> io::Result<Vec<IpAddr>> {
        self.run(addresses_here).await?
    }

    /// The addresses on which somebody listens for TCP, by port.
    pub async fn listeners(&self) -> io::Result<Vec<SocketAddr>> {
        self.run(listening_here).await?
    }

    /// Whether its loopback interface is up: without it, not even localhost can be reached.
    pub async fn loopback_is_up(&self) -> io::Result<bool> {
        self.run(loopback_is_up_here).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (sender, receiver) = oneshot::channel();
        // Whoever asked may have given up.
        let job = Box::new(move || drop(sender.send(job())));
        let jobs = self.jobs.lock().map_err(|_| gone())?.clone();
        jobs.send(job).map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())
    }
}

/// The file of a process's network namespace.
#[must_use]
pub fn file_of(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join("ns/net")
}

/// The file of the node's own network namespace: of process 1, or where that may not be read our
/// own.
#[must_use]
pub fn host_file() -> PathBuf {
    let first = PathBuf::from("/proc/1/ns/net");
    if first.metadata().is_ok() { first } else { PathBuf::from("/proc/self/ns/net") }
}

/// Inode of the node's own network namespace.
#[must_use]
pub fn host_inode() -> Option<u64> {
    inode_of(&host_file())
}

/// Whether this inode is that of the node's own network namespace. "Host network" is decided here.
#[must_use]
pub fn is_host(inode: u64) -> bool {
    host_inode() == Some(inode)
}

/// Inode of the namespace whose file that is; `None` when it is none, as where its mount cannot be
/// seen.
#[must_use]
pub fn inode_of(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let file = File::open(path).ok()?;
    let is_namespace = rustix::fs::fstatfs(&file).is_ok_and(|fs| fs.f_type == NSFS_MAGIC);
    file.metadata().ok().filter(|_| is_namespace).map(|file| file.ino())
}

fn loopback_is_up_here() -> io::Result<bool> {
    use nix::net::if_::InterfaceFlags;

    // An interface that is down is listed too, without an address.
    let up = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_UP;
    Ok(nix::ifaddrs::getifaddrs()?.any(|interface| interface.flags.contains(up)))
}

fn gone() -> io::Error {
    io::Error::other("the thread in the network namespace has ended")
}

fn addresses_here() -> io::Result<Vec<IpAddr>> {
    use std::net::Ipv6Addr;

    use nix::sys::socket::SockaddrIn6;

    let is_link_local = |address: &Ipv6Addr| address.segments()[0] & 0xffc0 == 0xfe80;
    let mut found = Vec::new();
    for interface in nix::ifaddrs::getifaddrs()? {
        let Some(address) = interface.address else { continue };
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        let v6 = address.as_sockaddr_in6().map(SockaddrIn6::ip).filter(|ip| !is_link_local(ip));
        found.extend(v4.or(v6.map(IpAddr::V6)).filter(|ip| !ip.is_loopback()));
    }
    Ok(found)
}
