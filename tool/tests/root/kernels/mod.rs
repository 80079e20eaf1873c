//! The binary on other kernels, in virtual machines.

mod exec;
