//! The cases, on kernels that are older than this one.

use serde_json::Value;

use crate::cases;
use crate::support::vm;

/// Waits for the tracer, runs every case, waits for what was seen of the last.
fn script() -> String {
    let mut script = String::from(
        "/pfsnoop -x --exit -o json > /tmp/records & snoop=$!\n\
         tries=0\n\
         until [ -s /tmp/records ] || [ $tries = 100 ]; do\n\
             /odd-exec exit 0; sleep 0.1; tries=$((tries+1))\n\
         done\n",
    );
    for case in cases::all() {
        let words: Vec<String> = case.run.iter().map(|word| format!("'{word}'")).collect();
        script.extend(["/odd-exec ", &words.join(" "), "\n"]);
    }
    script
        .push_str("sleep 1; kill -INT $snoop; wait $snoop || echo \"status $?\"; cat /tmp/records");
    script
}

fn cases_on(kernel: &str) {
    let printed = vm::run(kernel, "", &script());
    let (records, rest): (Vec<&str>, Vec<&str>) =
        printed.lines().partition(|line| line.starts_with('{'));
    let rest: Vec<&str> = rest.into_iter().filter(|line| !line.is_empty()).collect();
    // The shell tells of the case that kills itself.
    assert!(rest.iter().all(|line| line.trim() == "Killed"), "nothing on stderr: {rest:#?}");
    let parse =
        |line: &&str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let records: Vec<Value> = records.iter().map(parse).collect();
    cases::assert_all_seen(&records);
}

#[test]
fn every_exec_is_seen_on_linux_6_1() {
    cases_on("6.1");
}

#[test]
fn every_exec_is_seen_on_linux_6_12() {
    cases_on("6.12");
}
