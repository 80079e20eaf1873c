//! The runbook's messages are what the tools really say, and its commands are commands.

use std::process::Command;

use crate::forward::native::inside;
use crate::support::{output, pfsnoop, pod::DemoPod, system, text};

const RUNBOOK: &str = include_str!("../../../../docs/runbook.md");

/// Numbers are those of another day.
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

/// What a command that fails says last.
fn last_words(command: &mut Command) -> String {
    let output = output(command);
    assert!(!output.status.success(), "{command:?}");
    text(&output.stderr).trim().to_owned()
}

#[test]
fn every_message_that_can_be_made_here_is_in_it() {
    let pod = DemoPod::start();
    let socat = |port| ["/usr/bin/socat", "-", port];
    let mut dead = system("nsenter");
    dead.args(["-t", "4194304", "-n"]).args(socat("TCP4:localhost:80"));
    let target = format!("pid/{}", pod.pause);
    let mut no_helper = pfsnoop(&["forward", &target, "8080", "--dialer", "nsenter"]);
    let doctor = output(&mut pfsnoop(&["doctor", &target, "5201"]));
    let doctor = text(&doctor.stdout);
    let listens = doctor.lines().find(|line| line.contains("nothing listens on")).unwrap();
    let page = without_numbers(RUNBOOK);
    for words in [
        last_words(&mut inside(&pod, &socat("TCP4:localhost:5201"))),
        last_words(&mut dead),
        last_words(no_helper.env("PATH", "/nonexistent")),
        listens.to_owned(),
    ] {
        // Before it stand a name or a time, behind it what is to be done.
        let part = words.split("; ").next().unwrap();
        let part = part.trim_start_matches("pfsnoop: ").split("listens  ").last().unwrap();
        let part = without_numbers(part.trim());
        assert!(page.contains(&part), "{part:?} is not in the runbook");
    }
}

#[test]
fn its_commands_are_understood() {
    let lines = RUNBOOK.lines().filter_map(|line| line.strip_prefix("# pfsnoop "));
    let mut commands = 0;
    for line in lines {
        let line = line.split(['|', '#']).next().unwrap();
        let line = line.replace("POD", "nobody").replace("NS", "nowhere").replace("PORT", "80");
        let script = format!("timeout 1 {} {line}", env!("CARGO_BIN_EXE_pfsnoop"));
        let code = output(system("sh").args(["-c", &script])).status.code();
        // 2 is a command line that makes no sense; 124 one that goes on until it is ended.
        assert!(matches!(code, Some(0 | 1 | 124)), "{line}: {code:?}");
        commands += 1;
    }
    assert!(commands > 5, "{commands}");
}

#[test]
fn its_table_leads_to_its_entries() {
    let anchors = RUNBOOK.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap());
    let titles = RUNBOOK.lines().filter_map(|line| line.strip_prefix("## "));
    // As forges make an anchor of a title.
    let slug = |title: &str| {
        let kept = title.to_lowercase().replace(' ', "-");
        kept.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect::<String>()
    };
    let titles: Vec<String> = titles.map(slug).collect();
    for anchor in anchors {
        assert!(titles.iter().any(|title| title == anchor), "{anchor} in {titles:?}");
    }
}
