//! What both test targets share: running programs and watching what they print.

pub mod running;
pub mod temp;

mod command;
mod failure;
mod lines;
mod wait;

pub use command::{output, pfsnoop, stdout_of, system, text};
pub use failure::assert_fails;
pub use wait::{TEST_TIMEOUT, WaitInTime, eventually};
