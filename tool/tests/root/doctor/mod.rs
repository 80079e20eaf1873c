//! `pfsnoop doctor`.

pub mod daemons;
mod fixes;
pub mod node;
mod ports;
pub mod target;
mod unusual_nodes;
