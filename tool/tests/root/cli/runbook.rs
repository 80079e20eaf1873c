//! The runbook quotes the messages that the tools print.

use std::process::Command;

use crate::common::{output, pfsnoop, system, text};
use crate::support::pod::DemoPod;

const RUNBOOK: &str = include_str!("../../../../docs/runbook.md");

/// Replaces each number by 0: numbers differ from run to run.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if !char.is_ascii_digit() {
            out.push(char);
        } else if !out.ends_with('0') {
            out.push('0');
        }
    }
    out
}

/// The stderr of a command that must fail.
fn stderr_of_failed(command: &mut Command) -> String {
    let output = output(command);
    assert!(!output.status.success(), "{command:?}");
    text(&output.stderr).trim().to_owned()
}

#[test]
fn messages_in_the_runbook_are_what_the_tools_print() {
    let pod = DemoPod::start();
    let socat = |port| ["/usr/bin/socat", "-", port];
    let mut dead = system("nsenter");
    dead.args(["-t", "4194304", "-n"]).args(socat("TCP4:localhost:80"));
    let target = pod.target();
    let mut no_helper = pfsnoop(&["forward", &target, "8080", "--dialer", "nsenter"]);
    let doctor = output(&mut pfsnoop(&["doctor", &target, "5201"]));
    let doctor = text(&doctor.stdout);
    let listens = doctor.lines().find(|line| line.contains("nothing listens on")).unwrap();
    let page = without_numbers(RUNBOOK);
    for message in [
        stderr_of_failed(&mut pod.inside(&socat("TCP4:localhost:5201"))),
        stderr_of_failed(&mut dead),
        stderr_of_failed(no_helper.env("PATH", "/nonexistent")),
        listens.to_owned(),
    ] {
        // Only the middle of the line is quoted: without a name or a time before, and advice after.
        let part = message.split("; ").next().unwrap();
        let part = part.trim_start_matches("pfsnoop: ").split("listens  ").last().unwrap();
        let part = without_numbers(part.trim());
        assert!(page.contains(&part), "{part:?} is not in the runbook");
    }
}
