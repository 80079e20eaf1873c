//! Attacks on root's tool, run as the attacker would. Each finds nothing, runs nothing and holds up
//! nothing. `docs/SECURITY.md` has the promises that these tests hold.

mod containers;
mod devices;
mod hosts;
mod namesakes;
mod path;
mod quoting;
mod silent_files;
