//! The commands, messages and links in the runbook.

use crate::common::{output, system};

const RUNBOOK: &str = include_str!("../../../docs/runbook.md");

/// What a user of `kubectl port-forward` can see, in the words of the program that prints it, and
/// the number of the entry.
const MESSAGES: &[(&str, u8)] = &[
    // dockershim and cri-dockerd.
    ("unable to do port forwarding: socat not found", 1),
    ("nsenter not found", 1),
    ("Connection refused`, after `exit status 1:", 2),
    ("container not running (ID)", 3),
    ("No such container: ID", 3),
    // containerd.
    ("connect: connection refused", 2),
    ("sandbox container is not running", 3),
    ("network namespace for sandbox \"ID\" is closed", 3),
    ("failed to find sandbox \"ID\" in store: not found", 3),
    ("failed to find sandbox \"ID\": not found", 3),
    ("connect: connection timed out", 6),
    // CRI-O.
    ("sandbox ID is not running", 3),
    ("could not find sandbox ID", 3),
    ("PodSandbox with ID starting with ID not found: ID does not exist", 3),
    ("network namespace path of sandbox ID is empty", 3),
    ("failed to Statfs \"/var/run/netns/...\": no such file or directory", 3),
    ("unable to prepare portforward endpoint", 11),
    // The kubelet and the API server.
    ("pod not found (\"POD_NS\")", 3),
    ("failed to find sandboxID for pod", 3),
    ("timed out waiting for streams", 6),
    ("pod does not exist", 10),
    ("error dialing backend", 11),
    ("maximum number of in-flight requests exceeded", 11),
    // kubectl.
    ("unable to forward port because pod is not running. Current status=Pending", 4),
    ("timed out waiting for the condition", 4),
    ("lost connection to pod", 5),
    ("Handling connection for PORT", 6),
    ("Timeout occurred", 6),
    ("error copying from remote stream to local connection", 6),
    ("Unable to listen on port", 7),
    ("unable to listen on any of the requested ports", 7),
    ("remote port must be > 0", 8),
    ("remote port cannot be empty", 8),
    ("error parsing local port", 8),
    ("does not have a named port", 8),
    ("does not have a service port", 8),
    ("UDP protocol is not supported for PORT", 8),
    ("Upgrade request required", 11),
    ("unable to upgrade streaming request: websocket: bad handshake", 11),
    ("The connection to the server HOST:PORT was refused", 12),
    ("Unable to connect to the server", 12),
    ("The connection to the server localhost:8080 was refused", 13),
];

#[test]
fn every_command_in_the_runbook_parses() {
    let lines = RUNBOOK.lines().filter_map(|line| line.strip_prefix("# pfsnoop "));
    let mut commands = 0;
    for line in lines {
        let line = line.split(['|', '#']).next().unwrap();
        let line = line.replace("POD", "nobody").replace("NS", "nowhere").replace("PORT", "80");
        let script = format!("timeout 1 {} {line}", env!("CARGO_BIN_EXE_pfsnoop"));
        let code = output(system("sh").args(["-c", &script])).status.code();
        // 2 is a usage error. 124 is a command that runs until timeout(1) ends it.
        assert!(matches!(code, Some(0 | 1 | 124)), "{line}: {code:?}");
        commands += 1;
    }
    assert!(commands > 5, "{commands}");
}

#[test]
fn every_message_leads_to_an_entry_with_a_command_and_a_fix() {
    for (message, entry) in MESSAGES {
        let link = format!("| [{entry}](#");
        let mut rows = RUNBOOK.lines().filter(|line| line.contains(&link));
        assert!(rows.any(|row| row.contains(message)), "{message:?} does not lead to {entry}");
        let entry = RUNBOOK.split(&format!("\n## {entry}. ")).nth(1).unwrap();
        let entry = entry.split("\n## ").next().unwrap();
        assert!(entry.contains("```console"), "no command: {entry}");
        assert!(entry.contains("**Fix**") || entry.contains("| fix |"), "no fix: {entry}");
    }
}

#[test]
fn a_grep_in_the_runbook_is_never_silent() {
    let lines = RUNBOOK.lines().filter(|line| line.starts_with("# ") || line.starts_with("$ "));
    for line in lines.filter(|line| line.contains("| grep")) {
        assert!(line.contains(" || echo "), "{line}");
    }
}

#[test]
fn every_link_in_the_runbook_leads_to_a_title() {
    let anchors = RUNBOOK.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap());
    let titles = RUNBOOK.lines().filter_map(|line| line.strip_prefix("## "));
    // As GitHub makes an anchor from a title.
    let slug = |title: &str| {
        let kept = title.to_lowercase().replace(' ', "-");
        kept.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect::<String>()
    };
    let titles: Vec<String> = titles.map(slug).collect();
    for anchor in anchors {
        assert!(titles.iter().any(|title| title == anchor), "{anchor} in {titles:?}");
    }
}
