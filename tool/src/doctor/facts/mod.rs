//! Facts about this node that only the doctor needs.

pub mod daemons;
pub mod distribution;
pub mod held;
pub mod hosts;
pub mod kernel;
pub mod socats;
mod trusted;
pub mod usage;
pub mod version;
