//! `cargo xtask bench serve`: the newest kubectl through `pfsnoop serve`, beside the same kubectl through
//! containerd's own streaming server.

mod containerd;
mod cri;
mod figures;
mod image;
mod kubectl;
mod message;
mod node;
mod route;
mod run;
mod stub;

pub(crate) use run::{run, run_inside};
pub(crate) use stub::{ApiStub, run as run_api_stub};
