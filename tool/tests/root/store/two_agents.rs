//! Two agents on one store.

use crate::common::temp::TempDir;
use crate::support::pod::DemoPod;
use crate::support::store::{agent, connect_often, wait_for_stored};

#[test]
fn the_second_watches_without_storing_and_takes_over() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-two"));
    let store = folder.join("sessions.db");
    let first = agent(&store, &[]);
    connect_often(pod.pause, 8080, 1);
    wait_for_stored(&store, pod.netns(), 1);
    let mut second = agent(&store, &[]);
    second.stderr_line("the report", |line| line.contains("another agent stores there"));
    connect_often(pod.pause, 8080, 20);
    assert_eq!(wait_for_stored(&store, pod.netns(), 21).len(), 21);
    assert!(first.interrupt().0.success());
    // Nobody stores at this moment. The second has seen them, and the first has not.
    connect_often(pod.pause, 8080, 5);
    assert_eq!(wait_for_stored(&store, pod.netns(), 26).len(), 26, "none is twice");
    second.stderr_line("the end", |line| line.contains("are stored in"));
    connect_often(pod.pause, 9, 1);
    second.stderr_line("a failed session", |line| line.contains("refused: port 9"));
    assert_eq!(wait_for_stored(&store, pod.netns(), 27).len(), 27);
    let (status, _, stderr) = second.interrupt();
    assert!(status.success());
    let reports = stderr.iter().filter(|line| line.contains("another agent")).count();
    assert_eq!(reports, 1, "once: {stderr:#?}");
}
