//! `pfsnoop watch`.

use crate::common::pfsnoop;
use crate::common::running::Running;

/// `pfsnoop watch -o json`, attached.
pub fn watch_json(args: &[&str]) -> Running {
    Running::start_attached(&mut pfsnoop(&[&["watch", "-o", "json", "-v"], args].concat()))
}

/// `pfsnoop watch` with text output, attached.
pub fn watch_text(args: &[&str]) -> Running {
    let mut watch = Running::start(&mut pfsnoop(&[&["watch"], args].concat()));
    watch.stdout_line("header", |line| line.starts_with("TIME     STATE"));
    watch
}
