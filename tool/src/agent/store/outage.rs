//! A time during which nothing can be stored.

use std::path::Path;
use std::time::Duration;

use super::error::StoreError;
use crate::output;

/// The wait before the first new attempt. It doubles with each failure.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait. Once the disk has room, storing goes on after this time at the latest.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// A time during which nothing can be stored. It is reported once for each cause.
#[derive(Debug)]
pub(super) struct Outage {
    kind: &'static str,
    wait: Duration,
    dropped_before: u64,
}

impl Outage {
    /// Begins, and reports it.
    pub(super) fn begin(path: &Path, error: &StoreError, dropped: u64) -> Self {
        report(path, error);
        Self { kind: error.kind(), wait: FIRST_WAIT, dropped_before: dropped }
    }

    /// Notes another failure, and whether it has a new cause, which is reported.
    pub(super) fn go_on(&mut self, path: &Path, error: &StoreError) -> bool {
        let is_new = error.kind() != self.kind;
        if is_new {
            self.kind = error.kind();
            report(path, error);
        }
        is_new
    }

    /// How long to wait before the next attempt.
    pub(super) fn next_wait(&mut self) -> Duration {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        wait
    }

    /// Reports its end.
    pub(super) fn end(self, path: &Path, dropped: u64) {
        let path = shown(path);
        let lost = match dropped - self.dropped_before {
            0 => "nothing was lost".to_owned(),
            count => format!("{count} records of sessions were lost"),
        };
        output::complain(&format!("sessions are stored in {path} again; {lost}"));
    }
}

fn report(path: &Path, error: &StoreError) {
    let path = shown(path);
    let next = match error {
        StoreError::Locked => "watching without storing until it ends",
        _ => "watching goes on, and the newest sessions wait in memory",
    };
    output::complain(&format!("cannot store sessions in {path}: {error}; {next}"));
}

/// The path, for a log.
pub(super) fn shown(path: &Path) -> String {
    output::escaped(path.as_os_str().as_encoded_bytes())
}
