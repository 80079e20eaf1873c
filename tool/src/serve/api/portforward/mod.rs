//! `.../portforward`: which pod, and which protocol. The streams are somebody else's.

mod negotiate;
mod ports;
mod target;
mod user_agent;
mod websocket;

pub(super) use negotiate::{Accepted, negotiate};
pub(super) use target::target;
pub(super) use user_agent::user_agent;
