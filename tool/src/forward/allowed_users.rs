//! Who may use a forward: `--allow-uid`.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::host::sock_diag::SocketUsers;

/// The users whose clients are served.
#[derive(Debug)]
pub struct AllowedUsers {
    uids: Vec<u32>,
    sockets: SocketUsers,
}

/// Why a client is not served.
#[derive(Debug, thiserror::Error)]
pub enum NotAllowed {
    /// It is another user's.
    #[error("the client at {client} is a process of uid {uid}, which --allow-uid does not allow")]
    User {
        /// Its address.
        client: SocketAddr,
        /// Its user.
        uid: u32,
    },
    /// No process in pfsnoop's network namespace has its socket.
    #[error(
        "no process in pfsnoop's network has the socket of the client at {client}, so its user is not \
         known, and --allow-uid does not allow it"
    )]
    Elsewhere {
        /// Its address.
        client: SocketAddr,
    },
    /// The kernel does not say.
    #[error("cannot find out whose the client is, and --allow-uid is given")]
    Unknown(#[source] io::Error),
}

impl AllowedUsers {
    /// Only the clients of these users may use the forward that listens at this address, among others. An
    /// error if the kernel does not tell whose a client is.
    pub fn new(uids: Vec<u32>, listener: SocketAddr) -> io::Result<Self> {
        Ok(Self { uids, sockets: SocketUsers::open(listener)? })
    }

    /// An error unless the client belongs to one of the users.
    pub(super) fn check(&self, client: &TcpStream) -> Result<(), NotAllowed> {
        let ends = client.peer_addr().and_then(|peer| Ok((peer, client.local_addr()?)));
        let (client, own) = ends.map_err(NotAllowed::Unknown)?;
        match self.sockets.user_of(client, own).map_err(NotAllowed::Unknown)? {
            Some(uid) if self.uids.contains(&uid) => Ok(()),
            Some(uid) => Err(NotAllowed::User { client, uid }),
            None => Err(NotAllowed::Elsewhere { client }),
        }
    }
}
