//! The doctor's findings: a line of what, and where it is not as it should be, why it matters and
//! the command that mends it.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::escaped;
use super::json;
use super::terminal::has_colour;
use crate::doctor::{Finding, Severity};

/// Columns of the words before the text.
const SEVERITY: usize = 4;
const CHECK: usize = 19;

#[derive(Serialize)]
struct Json<'a> {
    r#type: &'static str,
    severity: &'static str,
    check: &'static str,
    what: &'a str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ns: Option<u64>,
}

/// A finding as one JSON object.
pub fn finding_json(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let Finding { severity, check, what, why, cure, took } = finding;
    let object = Json {
        r#type: "finding",
        severity: word(*severity),
        check,
        what,
        why,
        cure: cure.as_deref(),
        duration_ns: took.map(|took| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
    };
    json::line(out, &object)
}

/// A finding as text; in colour on a terminal, unless `NO_COLOR` is set (no-color.org).
pub fn finding(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    text(out, finding, has_colour())
}

fn text(out: &mut impl Write, finding: &Finding, in_color: bool) -> io::Result<()> {
    let Finding { severity, check, what, why, cure, took } = finding;
    let (on, off) = if in_color { (color(*severity), "\x1b[0m") } else { ("", "") };
    let word = word(*severity);
    let took =
        took.map_or_else(String::new, |took| format!(" ({:.1} ms)", took.as_secs_f64() * 1000.0));
    let what = escaped(what.as_bytes());
    writeln!(out, "{on}{word:SEVERITY$}{off}  {check:CHECK$}  {what}{took}")?;
    if *severity == Severity::Ok {
        return Ok(());
    }
    let indent = SEVERITY + 2 + CHECK + 2;
    writeln!(out, "{:indent$}why:  {why}", "")?;
    cure.as_ref()
        .map_or(Ok(()), |cure| writeln!(out, "{:indent$}cure: {}", "", escaped(cure.as_bytes())))
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Note => "note",
        Severity::Warn => "warn",
        Severity::Fail => "fail",
    }
}

/// Green, cyan, yellow, red and bold.
fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "\x1b[32m",
        Severity::Note => "\x1b[36m",
        Severity::Warn => "\x1b[33m",
        Severity::Fail => "\x1b[1;31m",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shown(severity: Severity, in_color: bool) -> String {
        let finding = Finding {
            severity,
            check: "helper.socat",
            what: "kubelet\u{1b}[31m does not find socat".to_owned(),
            why: "it is needed",
            cure: Some("apt-get install socat".to_owned()),
            took: Some(Duration::from_micros(1234)),
        };
        let mut out = Vec::new();
        text(&mut out, &finding, in_color).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_wrong_has_a_reason_and_a_cure() {
        let expected = "\
fail  helper.socat         kubelet\\x1b[31m does not find socat (1.2 ms)
                           why:  it is needed
                           cure: apt-get install socat
";
        assert_eq!(shown(Severity::Fail, false), expected);
        assert_eq!(shown(Severity::Ok, false).lines().count(), 1);
        assert!(shown(Severity::Ok, true).starts_with("\x1b[32mok  \x1b[0m  helper.socat "));
    }
}
