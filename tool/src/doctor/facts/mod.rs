//! Facts about this node that only the doctor needs.

pub mod daemons;
pub mod distribution;
pub mod helpers;
pub mod hosts;
pub mod kernel;
pub mod load;
pub mod program;
