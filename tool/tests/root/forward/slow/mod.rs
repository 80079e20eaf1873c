//! Tests that wait for minutes. They run side by side, and only `cargo xtask test --all` runs them.

mod vanished;
