//! The store of `pfsnoop agent`, and `pfsnoop history`.

mod damaged;
mod doctor;
mod follow;
mod full_disk;
mod kill;
mod readers;
mod same_as_watch;
mod two_agents;
