//! Facts about this node that only the doctor needs.

pub mod daemons;
pub mod distribution;
pub mod held;
pub mod hosts;
pub mod inspector;
pub mod kernel;
pub mod place;
pub mod programs;
pub mod running;
pub mod socats;
pub mod usage;
pub mod version;
