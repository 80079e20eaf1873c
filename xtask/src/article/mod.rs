//! `cargo xtask article`: repeats the article of 2018 about `kubectl port-forward` that pfsnoop started
//! from, with a kubelet of that kind (1.20, with dockershim). Everything runs in namespaces that are
//! separate from this machine's.

mod act;
mod article;
mod cluster;
mod daemon;
mod docker;
mod kubectl;
mod kubelet;
mod node;
mod page;
mod progress;
mod traced;
mod wait;

pub(crate) use article::{run, run_inside};
