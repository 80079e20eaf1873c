//! The API of containerd, CRI-O and any other runtime that serves Kubernetes' Container Runtime
//! Interface (CRI): its messages, its client, and its entry in the registry.

mod client;
mod cri;
mod info;
mod listing;
mod messages;

pub use client::{CallError, Client};
pub(super) use cri::PROTOCOL;
