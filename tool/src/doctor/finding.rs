//! One thing that was looked at, and what it means.

use std::time::Duration;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works, and may not for long, or not for everybody.
    Warn,
    /// A forward fails by this.
    Fail,
}

/// What a check found. Its texts may hold what others wrote.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Name of the check, which stays the same: `helper.socat`.
    pub check: &'static str,
    /// What is so.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// The command that mends it, where something is to be mended.
    pub cure: Option<String>,
    /// How long it took to find out, where that tells something.
    pub took: Option<Duration>,
}

impl Finding {
    pub(super) fn new(
        severity: Severity,
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
    ) -> Self {
        Self { severity, check, what: what.into(), why, cure: None, took: None }
    }

    pub(super) fn ok(check: &'static str, what: impl Into<String>, why: &'static str) -> Self {
        Self::new(Severity::Ok, check, what, why)
    }

    pub(super) fn cure(self, command: impl Into<String>) -> Self {
        Self { cure: Some(command.into()), ..self }
    }

    pub(super) fn took(self, time: Duration) -> Self {
        Self { took: Some(time), ..self }
    }
}
