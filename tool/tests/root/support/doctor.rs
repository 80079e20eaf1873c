//! `pfsnoop doctor -o json`, and its findings.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{output, system, text};
use crate::support::schema::parse_record;

/// Runs a doctor. Returns its findings and its exit code, which must fit them.
pub fn examine(command: &mut Command) -> (Vec<Value>, Option<i32>) {
    let output = output(command);
    let findings = parse_findings(&text(&output.stdout));
    let code = output.status.code();
    let fails = findings.iter().any(|finding| finding["severity"] == "fail");
    assert_eq!(code, Some(i32::from(fails)), "{output:?}");
    assert_eq!(text(&output.stderr).contains("checks failed"), fails, "{output:?}");
    (findings, code)
}

/// Runs a shell script in a pid and a mount namespace of its own, which end with every process
/// that it starts. `$PFSNOOP doctor -o json` in it sees no other processes.
pub fn examine_alone(script: &str) -> (Vec<Value>, Option<i32>) {
    let script = format!("PFSNOOP={}\n{script}", env!("CARGO_BIN_EXE_pfsnoop"));
    // The script ends even when the test is killed. unshare(1) ignores SIGTERM.
    let mut command = system("timeout");
    command.args(["--signal=KILL", "60"]);
    command.args(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]);
    command.args(["bash", "-c", &script]);
    examine(command.env_remove("DOCKER_HOST").stdin(Stdio::null()))
}

/// Parses findings. Each has the keys of the contract; a warning or a failure has a fix.
pub fn parse_findings(stdout: &str) -> Vec<Value> {
    let parse = |line: &str| {
        let finding = parse_record(line);
        assert_eq!(finding["type"], "finding", "{line}");
        let needs_fix = finding["severity"] == "warn" || finding["severity"] == "fail";
        assert_eq!(needs_fix, finding["fix"].is_string(), "a command that fixes it: {line}");
        finding
    };
    stdout.lines().map(parse).collect()
}

/// The first finding of a check that has `part` in its text.
pub fn find<'a>(findings: &'a [Value], check: &str, part: &str) -> Option<&'a Value> {
    let is_it = |finding: &&Value| {
        finding["check"] == check && finding["what"].as_str().unwrap().contains(part)
    };
    findings.iter().find(is_it)
}

/// The severity of such a finding, which must exist.
pub fn severity<'a>(findings: &'a [Value], check: &str, part: &str) -> &'a str {
    let found = find(findings, check, part);
    found.unwrap_or_else(|| panic!("no {check} with {part:?}: {findings:#?}"))["severity"]
        .as_str()
        .unwrap()
}

/// The command that fixes what a check found.
pub fn fix<'a>(findings: &'a [Value], check: &str) -> &'a str {
    find(findings, check, "").unwrap()["fix"].as_str().unwrap()
}
