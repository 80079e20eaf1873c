//! Connections: TCP, TLS and HTTP/1.1, within limits.

mod accept;
mod admission;
mod connection;
mod greeting;

pub(super) use accept::accept_all;
pub(super) use admission::{Admissions, Visitor};
