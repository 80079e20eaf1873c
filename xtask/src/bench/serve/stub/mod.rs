//! A small API server for one pod of containerd: it answers what kubectl asks, asks containerd by CRI for
//! the URL of its streaming server, and copies bytes both ways between that and kubectl.

mod answers;
mod head;
mod kubeconfig;
mod relay;
mod server;
mod tls;

pub(crate) use server::{ApiStub, run};
