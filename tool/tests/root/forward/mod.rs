//! `pfsnoop forward`.

pub mod basics;
mod container;
mod ending;
mod json_sessions;
pub mod native;
pub mod nsenter;
mod sockets;
mod stalls;
