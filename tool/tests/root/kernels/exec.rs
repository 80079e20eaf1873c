//! The cases, on kernels that are older than this one.

use serde_json::Value;

use crate::support::exec_cases::{self as cases, Case};
use crate::support::vm;

/// Waits for the tracer, runs the cases, waits for what was seen of the last.
fn script(cases: &[Case]) -> String {
    let mut script = String::from(
        "/pfsnoop -x --exit -o json > /tmp/records & snoop=$!\n\
         tries=0\n\
         until [ -s /tmp/records ] || [ $tries = 100 ]; do\n\
             /odd-exec exit 0; sleep 0.1; tries=$((tries+1))\n\
         done\n",
    );
    for case in cases {
        let words: Vec<String> = case.run.iter().map(|word| format!("'{word}'")).collect();
        script.extend(["/odd-exec ", &words.join(" "), "\n"]);
    }
    script
        .push_str("sleep 1; kill -INT $snoop; wait $snoop || echo \"status $?\"; cat /tmp/records");
    script
}

fn cases_on(kernel: &str, cases: &[Case]) {
    let printed = vm::run(kernel, "", &script(cases));
    let (records, rest): (Vec<&str>, Vec<&str>) =
        printed.lines().partition(|line| line.starts_with('{'));
    let rest: Vec<&str> = rest.into_iter().filter(|line| !line.is_empty()).collect();
    // The shell tells of the case that kills itself.
    assert!(rest.iter().all(|line| line.trim() == "Killed"), "nothing on stderr: {rest:#?}");
    let parse =
        |line: &&str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let records: Vec<Value> = records.iter().map(parse).collect();
    cases::assert_seen_all(cases, &records);
}

#[test]
fn every_exec_is_seen_on_linux_5_10() {
    // This one says "no such file" to execveat(2) of an open file, traced or not.
    let cases: Vec<Case> =
        cases::all().into_iter().filter(|case| case.run[0] != "execveat-fd").collect();
    cases_on("5.10", &cases);
}

#[test]
fn every_exec_is_seen_on_linux_6_1() {
    cases_on("6.1", &cases::all());
}

#[test]
fn every_exec_is_seen_on_linux_6_12() {
    cases_on("6.12", &cases::all());
}

/// Two native sessions and two of nsenter's, in a guest that has no socat.
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
    let parse =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let lines = printed.lines().filter(|line| line.starts_with('{'));
    let records: Vec<Value> = lines.map(parse).collect();
    assert!(records.iter().all(|record| record["type"] == "session"), "{printed}");
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
    let states: Vec<_> = records
        .iter()
        .filter(|record| record["session_id"] == ok["session_id"])
        .map(|record| word(record, "state"))
        .collect();
    assert_eq!(states, ["started", "connected", "closed"]);
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

/// An exec in a cgroup, in one below it, and in none of both.
const CGROUPS: &str = "\
mkdir /tmp/cgroups; mount -t cgroup2 none /tmp/cgroups; mkdir -p /tmp/cgroups/outer/inner
/pfsnoop -x -c /tmp/cgroups/outer -o json -v > /tmp/records 2> /tmp/said & snoop=$!
tries=0
until grep -q attached /tmp/said || [ $tries = 100 ]; do sleep 0.1; tries=$((tries+1)); done
for cgroup in . outer outer/inner; do
    sh -c 'echo $$ > /tmp/cgroups/$0/cgroup.procs; exec /odd-exec exit 0 \"m-$0\"' $cgroup
done
sleep 1; kill -INT $snoop; wait $snoop || cat /tmp/said
cat /tmp/records";

#[test]
fn cgroups_are_filtered_on_linux_5_10() {
    let printed = vm::run("5.10", "", CGROUPS);
    let marks: Vec<&str> = printed.split('"').filter(|word| word.starts_with("m-")).collect();
    assert_eq!(marks, ["m-outer", "m-outer/inner"], "{printed}");
}
