//! Facts about this machine: processes, namespaces, cgroups, clocks, paths. Only this module,
//! `doctor/facts` and `demo` read /proc.

pub mod cgroup;
pub mod clock;
pub mod foreign_file;
pub mod inherited;
pub mod limits;
pub mod lockdown;
pub mod memory;
pub mod netns;
pub mod node;
pub mod own_usage;
pub mod path;
pub mod pipe_size;
pub mod private_mount;
pub mod privileges;
pub mod proc_files;
pub mod process;
pub mod program_file;
pub mod root;
pub mod service;
pub mod shutdown;
pub mod slice;
pub mod socat;
pub mod sock_diag;
pub mod socket_buffer;
pub mod tcp;
pub mod time_zone;
pub mod trusted;
pub mod user;
