//! What the kernel tells of the sockets of others (sock_diag(7)), without touching them.

mod connections;
mod users;

pub use connections::{Connection, connections_here};
pub use users::SocketUsers;
