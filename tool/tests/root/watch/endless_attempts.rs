//! A socat that tries to connect without end.

use std::process::Stdio;
use std::time::Duration;

use crate::common::WaitInTime as _;
use crate::common::eventually;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

#[test]
fn a_helper_that_tries_without_end_is_one_session_with_its_last_outcome() {
    let pod = DemoPod::start();
    let watch = watch_json(&["--port", "7042"]);
    let address = "TCP4:localhost:7042,forever,interval=0.001";
    let mut helper = pod.inside(&["socat", "-", address]);
    helper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut helper = helper.spawn().unwrap();
    let pid = helper.id();
    let of_helper = move |record: &serde_json::Value| record["helper_pid"] == pid;
    eventually("the session", || (!sessions(&watch, of_helper).is_empty()).then_some(()));
    // Thousands of attempts. A unit test checks that they are not kept.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sessions(&watch, of_helper).len(), 1, "one session that has started");
    let _server = pod.serve(7042, &["socat", "TCP4-LISTEN:7042,fork", "SYSTEM:true"]);
    helper.wait_in_time();
    let end = closed(&watch, of_helper);
    assert_eq!(end["outcome"], "ok", "{end}");
}
