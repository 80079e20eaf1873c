//! Records of the doctor's findings.

use serde::Serialize;

use crate::model;

#[derive(Serialize)]
pub(super) struct Finding<'a> {
    r#type: &'static str,
    severity: &'static str,
    check: &'static str,
    what: &'a str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ns: Option<u64>,
}

pub(super) fn finding(finding: &model::Finding) -> Finding<'_> {
    let model::Finding { severity, check, what, why, fix, took } = finding;
    Finding {
        r#type: "finding",
        severity: severity.name(),
        check,
        what,
        why,
        fix: fix.as_deref(),
        duration_ns: took.map(|took| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
    }
}
