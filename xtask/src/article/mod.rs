//! `cargo xtask article`: what the article did that pfsnoop goes back to, with the kubelet of its time.
//! Everything runs in a node of its own on this machine.

mod act;
mod article;
mod cgroups;
mod cluster;
mod daemon;
mod docker;
mod guard;
mod kubectl;
mod kubelet;
mod node;
mod page;
mod progress;
mod traced;
mod wait;

pub(crate) use article::{run, run_inside};
