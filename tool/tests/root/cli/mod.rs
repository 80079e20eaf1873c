//! Bad input, the demo, the shipped binary, and the runbook.

mod bad_input;
mod demo;
mod dist;
mod hangup;
mod runbook;
