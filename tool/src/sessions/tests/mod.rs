//! Every transition, and events that are late, lost, or of another process.

mod attempts;
mod claims;
mod events;
mod helpers;
mod losses;
mod natives;
mod outcomes;
mod run;
