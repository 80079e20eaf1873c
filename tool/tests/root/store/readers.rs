//! Readers without the right to write, and copies.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;

use crate::common::temp::TempDir;
use crate::common::{output, text};
use crate::support::nobody::pfsnoop_as_nobody;
use crate::support::pod::DemoPod;
use crate::support::store::{agent, connect_often, stored, wait_for_stored};

/// Everybody may read the files of a store.
fn allow_reading(folder: &TempDir) {
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o644)).unwrap();
    }
}

/// How many sessions to port 8080 nobody reads, and what history says on stderr.
fn as_nobody(store: &Path) -> (usize, String) {
    let store = store.to_str().unwrap();
    let args = ["history", "-o", "json", "--port", "8080", "--store", store];
    let output = output(&mut pfsnoop_as_nobody("", &args));
    assert!(output.status.success(), "{output:?}");
    (text(&output.stdout).lines().count(), text(&output.stderr))
}

#[test]
fn a_reader_without_the_right_to_write_reads_all() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-nobody"));
    let store = folder.join("sessions.db");
    let mut agent = agent(&store, &["--keep", "1d"]);
    connect_often(pod.pause, 8080, 10);
    wait_for_stored(&store, pod.netns(), 10);
    allow_reading(&folder);
    let all = || stored(&store, &["--port", "8080"]).len();
    assert_eq!(as_nobody(&store), (all(), String::new()), "while the agent writes");
    agent.signal(Signal::KILL);
    agent.wait();
    assert_eq!(as_nobody(&store), (all(), String::new()), "after the agent was killed");
    // A copy of the file and of its log, without the file that readers and writers share.
    let copy = TempDir::new("store-copy");
    for name in ["sessions.db", "sessions.db-wal"] {
        fs::copy(folder.join(name), copy.join(name)).unwrap();
    }
    let (complete, copied) = (all(), copy.join("sessions.db"));
    allow_reading(&copy);
    let (count, stderr) = as_nobody(&copied);
    let says_so = stderr.contains("the newest sessions may be missing");
    assert!(
        count == complete && stderr.is_empty() || count < complete && says_so,
        "{count} {stderr}"
    );
    assert_eq!(stored(&copied, &["--port", "8080"]).len(), complete, "by root");
}

#[test]
fn a_store_whose_agent_has_ended_is_one_file() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-one"));
    let store = folder.join("sessions.db");
    let agent = agent(&store, &[]);
    connect_often(pod.pause, 8080, 10);
    wait_for_stored(&store, pod.netns(), 10);
    assert!(agent.interrupt().0.success());
    let copy = TempDir::new("store-one-copy");
    let copied = copy.join("odd name?#%.db");
    fs::copy(&store, &copied).unwrap();
    allow_reading(&copy);
    let complete = stored(&store, &["--port", "8080"]).len();
    assert_eq!(as_nobody(&copied), (complete, String::new()));
    let names = fs::read_dir(copy.path()).unwrap().count();
    assert_eq!(names, 1, "nothing was made beside it");
}
