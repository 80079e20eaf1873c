//! Targets: what `pfsnoop targets` lists, and what `pfsnoop forward` finds by name.

mod cri;
mod docker;
mod list;
mod podman;
