//! The API of containerd, CRI-O and any other runtime that serves Kubernetes' Container Runtime
//! Interface (CRI): its messages, its client, and its entry in the registry.

mod client;
mod cri;
mod entries;
mod info;
mod listing;
mod messages;
mod parse;

pub use client::{CallError, Client, MAX_LIST, MAX_STATUS};
pub(super) use cri::PROTOCOL;
pub(in crate::runtime) use parse::{pid_in, pid_in_info, targets_in};
