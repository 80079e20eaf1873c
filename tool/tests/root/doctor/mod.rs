//! `pfsnoop doctor`.

mod daemons;
mod fixes;
mod node;
mod ports;
mod target;
mod unusual_nodes;
