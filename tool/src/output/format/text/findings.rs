//! The view of the doctor's findings: one line for each finding. If the finding is not ok, lines
//! with the reason why it matters and with the fix follow.

use std::io::{self, Write};

use crate::model::{Finding, Severity, Update};
use crate::output::escape::escaped;
use crate::output::sink::Sink;
use crate::output::terminal::has_colour;

/// Width of the severity.
const SEVERITY: usize = 4;
/// Width of the check's name.
const CHECK: usize = 19;

/// Writes findings, in colour on a terminal.
pub(super) struct FindingSink<W> {
    out: W,
    has_colour: bool,
}

impl<W: Write> FindingSink<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, has_colour: has_colour() }
    }
}

impl<W: Write> Sink for FindingSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Finding(finding) => write_finding(&mut self.out, finding, self.has_colour),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.flush()
    }
}

fn write_finding(out: &mut impl Write, finding: &Finding, in_colour: bool) -> io::Result<()> {
    let Finding { severity, check, what, why, fix, took } = finding;
    let (start, end) = if in_colour { (colour(*severity), "\x1b[0m") } else { ("", "") };
    let word = severity.name();
    let took =
        took.map_or_else(String::new, |took| format!(" ({:.1} ms)", took.as_secs_f64() * 1000.0));
    let what = escaped(what.as_bytes());
    writeln!(out, "{start}{word:SEVERITY$}{end}  {check:CHECK$}  {what}{took}")?;
    if *severity == Severity::Ok {
        return Ok(());
    }
    let indent = SEVERITY + 2 + CHECK + 2;
    writeln!(out, "{:indent$}why:  {why}", "")?;
    fix.as_ref()
        .map_or(Ok(()), |fix| writeln!(out, "{:indent$}fix:  {}", "", escaped(fix.as_bytes())))
}

/// Green, cyan, yellow, bold red.
fn colour(severity: Severity) -> &'static str {
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

    fn written(severity: Severity, in_colour: bool) -> String {
        let finding = Finding {
            severity,
            check: "helper.socat",
            what: "kubelet\u{1b}[31m does not find socat".to_owned(),
            why: "it is needed",
            fix: Some("apt-get install socat".to_owned()),
            took: Some(Duration::from_micros(1234)),
        };
        let mut out = Vec::new();
        write_finding(&mut out, &finding, in_colour).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_a_finding_that_is_not_ok_has_a_reason_and_a_fix() {
        let expected = "\
fail  helper.socat         kubelet\\x1b[31m does not find socat (1.2 ms)
                           why:  it is needed
                           fix:  apt-get install socat
";
        assert_eq!(written(Severity::Fail, false), expected);
        assert_eq!(written(Severity::Ok, false).lines().count(), 1);
        assert!(written(Severity::Ok, true).starts_with("\x1b[32mok  \x1b[0m  helper.socat "));
    }
}
