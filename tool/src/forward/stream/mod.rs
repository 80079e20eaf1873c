//! The two directions of a connection. A connection is a socket, or the two pipes of a helper, or the
//! stream of an endpoint's client.

mod buffers;
mod duplex;
mod kind;
mod read_half;
mod socket;
mod write_half;

pub(super) use buffers::{limit_buffer, limit_buffers};
pub(super) use duplex::Duplex;
pub(super) use read_half::ReadHalf;
pub(super) use socket::Socket;
pub(super) use write_half::{HeldOpen, WriteHalf};
