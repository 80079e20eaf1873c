//! Which pod and container a process belongs to.

mod cgroups;
mod claims;
mod containers;
mod frozen_runtime;
mod late_runtime;
mod many_namespaces;
mod pod_without_process;
mod reused_pid;
mod silent_runtime;
mod wrong_process;
