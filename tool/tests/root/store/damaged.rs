//! Files that are damaged, of somebody else, or of a newer version.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rusqlite::Connection;

use crate::common::temp::TempDir;
use crate::common::{assert_fails, pfsnoop};
use crate::support::pod::DemoPod;
use crate::support::store::{agent, connect_often, wait_for_stored};

/// Names beside the store that begin like this.
fn beside(folder: &TempDir, prefix: &str) -> usize {
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with(prefix)).count()
}

#[test]
fn a_damaged_store_is_moved_aside_and_a_new_one_begun() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-damaged"));
    let store = folder.join("sessions.db");
    let first = agent(&store, &[]);
    connect_often(pod.pause, 8080, 50);
    wait_for_stored(&store, pod.netns(), 50);
    assert!(first.interrupt().0.success());
    // All but the header, which says whose file it is.
    let length = usize::try_from(fs::metadata(&store).unwrap().len()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&store).unwrap();
    file.write_all_at(&vec![0xa5; length - 100], 100).unwrap();
    let mut second = agent(&store, &[]);
    let line = second.stderr_line("the report", |line| line.contains("cannot store sessions in"));
    assert!(line.contains("the file is damaged"), "{line}");
    second.stderr_line("the new name", |line| line.contains("the damaged file is now"));
    connect_often(pod.pause, 8080, 1);
    assert_eq!(wait_for_stored(&store, pod.netns(), 1).len(), 1);
    assert_eq!(beside(&folder, "sessions.db.corrupt-"), 1);
}

/// The agent says so once, goes on watching, and leaves the file as it is, as `history` does.
fn assert_untouched(store: &Path, why: &str) {
    let before = fs::read(store).unwrap();
    let pod = DemoPod::start();
    let mut agent = agent(store, &[]);
    agent.stderr_line("the report", |line| line.contains(why));
    connect_often(pod.pause, 9, 1);
    agent.stderr_line("a failed session in the log", |line| line.contains("refused: port 9"));
    let (status, _, stderr) = agent.interrupt();
    assert!(status.success());
    assert_eq!(stderr.iter().filter(|line| line.contains(why)).count(), 1, "{stderr:#?}");
    assert!(fs::read(store).unwrap() == before, "it was changed");
    let history = &mut pfsnoop(&["history", "--store", store.to_str().unwrap()]);
    assert_fails(history, 1, &["cannot read the store", why]);
}

#[test]
fn a_file_of_somebody_else_is_never_touched() {
    let folder = TempDir::new("store-foreign");
    let text = folder.join("notes");
    fs::write(&text, "not a database, but dear to somebody\n".repeat(100)).unwrap();
    assert_untouched(&text, "the file is not a store of pfsnoop");
    let other = folder.join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection
        .execute_batch("CREATE TABLE session (id INTEGER); INSERT INTO session VALUES (1)")
        .unwrap();
    drop(connection);
    assert_untouched(&other, "the file is not a store of pfsnoop");
}

#[test]
fn a_store_of_a_newer_version_is_never_touched() {
    let folder = TempDir::new("store-newer");
    let store = folder.join("sessions.db");
    let mut first = agent(&store, &[]);
    first.stderr_line("the start", |line| line.contains("is watched"));
    assert!(first.interrupt().0.success());
    Connection::open(&store).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_untouched(&store, "a newer pfsnoop made the file (schema version 99)");
}

#[test]
fn without_a_store_history_says_how_to_get_one() {
    let folder = TempDir::new("store-none");
    let store = folder.join("sessions.db");
    let history = &mut pfsnoop(&["history", "--store", store.to_str().unwrap()]);
    assert_fails(history, 1, &["there is no store at", "`pfsnoop agent` makes one"]);
    assert!(!store.exists());
}
