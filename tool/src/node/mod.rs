//! Facts of this machine: its processes, clocks and users. The only module that reads /proc.

pub mod clock;
pub mod path;
pub mod process;
pub mod user;
