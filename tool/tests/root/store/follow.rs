//! `pfsnoop history --follow`, and readers that leave.

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{output, pfsnoop, system, text};
use crate::support::pod::DemoPod;
use crate::support::store::{agent, connect_often, wait_for_stored};

#[test]
fn a_follower_shows_what_the_agent_stores() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-follow"));
    let store = folder.join("sessions.db");
    let _agent = agent(&store, &[]);
    connect_often(pod.pause, 8080, 1);
    wait_for_stored(&store, pod.netns(), 1);
    let path = store.to_str().unwrap();
    let mut follower = Running::start(&mut pfsnoop(&["history", "--store", path, "--follow"]));
    follower.stdout_line("the session before", |line| line.contains(" 8080 "));
    connect_often(pod.pause, 7096, 1);
    follower
        .stdout_line("the new session", |line| line.contains(" 7096 ") && line.contains("refused"));
    let (status, stdout, stderr) = follower.interrupt();
    assert!(status.success() && stderr.is_empty(), "{stderr:#?}");
    assert!(stdout.iter().any(|line| line.starts_with("TARGET ")), "a table at the end");
}

#[test]
fn a_reader_that_leaves_ends_history_quietly() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-head"));
    let store = folder.join("sessions.db");
    let _agent = agent(&store, &[]);
    connect_often(pod.pause, 8080, 2000);
    wait_for_stored(&store, pod.netns(), 2000);
    for follow in ["", "--follow --count 2000"] {
        let script = format!(
            "\"$0\" history --store \"$1\" {follow} | head -n 1; echo \"${{PIPESTATUS[0]}}\""
        );
        let mut command = system("timeout");
        command.args(["60", "bash", "-c", &script, env!("CARGO_BIN_EXE_pfsnoop")]).arg(&store);
        let output = output(&mut command);
        assert_eq!(text(&output.stderr), "");
        let stdout = text(&output.stdout);
        let lines: Vec<_> = stdout.lines().collect();
        assert!(lines[0].starts_with("TIME ") && lines[1] == "0", "{lines:?}");
    }
}
