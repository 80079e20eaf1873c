//! The static binary on other kernels, in virtual machines.

mod cgroup_filter;
mod every_exec;
mod late_failures;
mod lockdown;
mod sessions;
