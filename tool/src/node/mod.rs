//! Facts of this machine: its processes, clocks and users. The only module that reads /proc.

pub mod cgroup;
pub mod clock;
pub mod daemons;
pub mod distribution;
pub mod helpers;
pub mod hosts;
pub mod inherited;
pub mod kernel;
pub mod kubelet;
pub mod limits;
mod listeners;
pub mod load;
pub mod netns;
pub mod path;
mod proc_files;
pub mod process;
pub mod program;
pub mod root;
pub mod slice;
pub mod socat;
pub mod user;
