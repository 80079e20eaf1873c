//! `pfsnoop forward`.

mod basics;
mod container;
mod ending;
mod json_sessions;
mod native;
mod nsenter;
mod sockets;
mod stalls;
