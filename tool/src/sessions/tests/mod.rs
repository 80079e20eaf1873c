//! Every transition, with events that are late, lost, or of another process.

mod events;
mod helpers;
mod losses;
mod natives;
mod run;
