//! Bad input, the demo, the shipped binary, and the runbook.

mod bad_input;
mod demo;
mod demo_kubectl;
mod dist;
mod full_disk;
mod hangup;
mod ignored_variables;
mod inherited;
mod limits;
mod privileges;
mod runbook;
mod service_privileges;
mod unread_stderr;
