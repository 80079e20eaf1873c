//! Bad input, and the commands and packages that are no group of their own.

mod bad_input;
mod build;
mod demo;
mod dist;
mod runbook;
