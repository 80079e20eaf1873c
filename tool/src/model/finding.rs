//! What one check of the doctor found.

use std::time::Duration;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works now, but may fail later or for some users.
    Warn,
    /// It makes a forward fail.
    Fail,
}

/// What a check found. Its texts may quote other programs.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Name of the check, such as `helper.socat`. Names do not change.
    pub check: &'static str,
    /// What the check found.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// The command that repairs it, if something needs repair.
    pub fix: Option<String>,
    /// How long the check took, if the time is worth showing.
    pub took: Option<Duration>,
}

impl Finding {
    /// A finding without a fix.
    pub fn new(
        severity: Severity,
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
    ) -> Self {
        Self { severity, check, what: what.into(), why, fix: None, took: None }
    }

    /// A check that passed.
    pub fn ok(check: &'static str, what: impl Into<String>, why: &'static str) -> Self {
        Self::new(Severity::Ok, check, what, why)
    }

    /// With this command as its fix.
    #[must_use]
    pub fn fix(self, command: impl Into<String>) -> Self {
        Self { fix: Some(command.into()), ..self }
    }

    /// With the time that the check took.
    #[must_use]
    pub fn took(self, time: Duration) -> Self {
        Self { took: Some(time), ..self }
    }
}

impl Severity {
    /// The name in records and rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}
