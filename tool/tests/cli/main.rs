//! Tests that need no root: the command line, its golden files, the build and the source tree.
//!
//! `tests/README.md` says what is where.

#![expect(unreachable_pub, reason = "a test binary has no users")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]

#[path = "../common/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the other test target uses the rest")]
mod common;

mod build;
mod golden;
mod layering;
mod runbook;
mod security;
mod usage;
