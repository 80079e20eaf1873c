//! The agent's service of systemd, as the Debian package has it.

mod file;
mod service;
