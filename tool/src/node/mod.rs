//! Facts of this machine: its processes, clocks and users. The only module that reads /proc.

pub mod cgroup;
pub mod clock;
pub mod kubelet;
pub mod limits;
mod listeners;
pub mod netns;
pub mod path;
pub mod process;
pub mod user;
