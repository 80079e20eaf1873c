//! An nsenter that also enters a pid namespace: it does not become socat, but starts it as a child.

use crate::support::helper::{request_page, spawn_piped};
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions, states};
use crate::support::watch::watch_json;

#[test]
fn socat_as_a_child_of_nsenter() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let mut command = pod.inside(&["-p", "socat", "-", "TCP4:localhost:8080"]);
    let (pid, page) = request_page(spawn_piped(&mut command));
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(
        [&end["outcome"], &end["reason"]],
        ["ok", "both sides ended by themselves"],
        "{end}"
    );
    assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [18, page.len()], "{end}");
    assert_eq!(end["target"]["netns"], pod.netns(), "{end}");
    let all = sessions(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(states(&all), ["started", "connected", "closed"]);
}
