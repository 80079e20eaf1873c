//! Sessions on other kernels.

use serde_json::Value;

use crate::support::records::{parse, states};
use crate::support::vm;

/// Shell: two native sessions and two of nsenter, in a guest without socat.
const WATCH: &str = "\
ip link set lo up
mkdir /tmp/www; echo guest > /tmp/www/index.html
unshare -n sh -c 'ip link set lo up; exec httpd -f -p 8080 -h /tmp/www' & pod=$!
/pfsnoop watch -o json -v > /tmp/records 2> /tmp/said & watch=$!
tries=0
until grep -q attached /tmp/said || [ $tries = 100 ]; do sleep 0.1; tries=$((tries+1)); done
/pfsnoop forward --dialer native --no-watch pid/$pod 81:8080 82:9 > /dev/null 2>&1 & forward=$!
tries=0
until wget -q -O - http://127.0.0.1:81/ || [ $tries = 100 ]; do sleep 0.1; tries=$((tries+1)); done
wget -q -O - http://127.0.0.1:82/ 2> /dev/null
/bin/nsenter -t $pod -n socat - TCP4:localhost:80 2> /dev/null
/bin/nsenter -t 9999 -n socat - TCP4:localhost:80 2> /dev/null
sleep 1; kill -INT $watch; wait $watch || cat /tmp/said; kill $forward $pod
cat /tmp/records";

fn sessions_on(kernel: &str) {
    let printed = vm::run(kernel, "", WATCH);
    let lines: Vec<&str> = printed.lines().filter(|line| line.starts_with('{')).collect();
    let records = parse(&lines);
    let is_known = |record: &Value| record["type"] == "ready" || record["type"] == "session";
    assert!(records.iter().all(is_known), "{printed}");
    let word = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
    let end = |outcome: &str| {
        let mut of_it = records.iter().filter(|record| record["outcome"] == outcome);
        of_it.next().unwrap_or_else(|| panic!("no {outcome} on {kernel}: {printed}")).clone()
    };
    let ok = end("ok");
    assert_eq!([word(&ok, "via"), word(&ok, "address")], ["native", "127.0.0.1"], "{ok}");
    assert_eq!(ok["forwarder"]["comm"], "pfsnoop");
    let (to, from) = (ok["bytes_to_pod"].as_u64(), ok["bytes_from_pod"].as_u64());
    assert!(to.is_some_and(|to| to > 20) && from.is_some_and(|from| from > 20), "{ok}");
    let mut of_ok = records.clone();
    of_ok.retain(|record| record["session_id"] == ok["session_id"]);
    assert_eq!(states(&of_ok), ["started", "connected", "closed"]);
    assert_eq!(end("refused")["port"], 9);
    assert_eq!(end("helper-missing")["via"], "nsenter+socat");
    assert_eq!(end("target-gone")["target"]["pid"], 9999);
}

#[test]
fn sessions_are_watched_on_linux_5_10() {
    sessions_on("5.10");
}

#[test]
fn sessions_are_watched_on_linux_6_1() {
    sessions_on("6.1");
}

#[test]
fn sessions_are_watched_on_linux_6_12() {
    sessions_on("6.12");
}

#[test]
fn sessions_are_watched_on_linux_7_2() {
    sessions_on("7.2");
}
