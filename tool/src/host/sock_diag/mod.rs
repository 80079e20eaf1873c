//! Asks the kernel about the sockets of other processes (sock_diag(7)). This does not disturb the
//! sockets.

mod connections;
mod users;

pub use connections::{Connection, connections_here};
pub use users::SocketUsers;
