//! `pfsnoop watch`: an nsenter that enters a pid namespace too, and so has socat for a child.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use crate::support::{pod::DemoPod, system};
use crate::watch::nsenter::{closed, netns_of, records, watch};

#[test]
fn a_socat_that_is_nsenters_child() {
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let mut command = system("nsenter");
    command.args(["-t", &pod.pause.to_string(), "-n", "-p", "socat", "-", "TCP4:localhost:8080"]);
    let mut helper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = helper.stdin.take().unwrap();
    stdin.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    helper.stdout.take().unwrap().read_to_string(&mut page).unwrap();
    drop(stdin);
    helper.wait().unwrap();
    let end = closed(&watch, |record| record["helper_pid"] == helper.id());
    assert_eq!(
        [&end["outcome"], &end["reason"]],
        ["ok", "both sides ended by themselves"],
        "{end}"
    );
    assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [18, page.len()], "{end}");
    assert_eq!(end["target"]["netns"], netns_of(pod.pause), "{end}");
    let all = records(&watch, |record| record["helper_pid"] == helper.id());
    let states: Vec<_> = all.iter().map(|record| record["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["started", "connected", "closed"]);
}
