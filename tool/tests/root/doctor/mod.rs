//! `pfsnoop doctor`.

mod daemons;
mod fixes;
mod held;
mod kubelets;
mod localhost;
mod node;
mod ports;
mod read_only;
mod silent_runtimes;
mod target;
mod unusual_nodes;
