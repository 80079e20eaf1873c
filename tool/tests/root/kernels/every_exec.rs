//! Unusual execs on other kernels.

use crate::support::exec_cases::{self, Case};
use crate::support::records::parse;
use crate::support::vm;

/// Shell: waits until the tracer is attached, runs the cases, and prints the records.
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
    // The shell reports the case that kills itself.
    assert!(rest.iter().all(|line| line.trim() == "Killed"), "nothing on stderr: {rest:#?}");
    exec_cases::assert_seen_all(cases, &parse(&records));
}

#[test]
fn every_exec_is_seen_on_linux_5_10() {
    // On Linux 5.10, execveat(2) of an open file fails with ENOENT, traced or not.
    let cases: Vec<Case> =
        exec_cases::all().into_iter().filter(|case| case.run[0] != "execveat-fd").collect();
    cases_on("5.10", &cases);
}

#[test]
fn every_exec_is_seen_on_linux_6_1() {
    cases_on("6.1", &exec_cases::all());
}

#[test]
fn every_exec_is_seen_on_linux_6_12() {
    cases_on("6.12", &exec_cases::all());
}

#[test]
fn every_exec_is_seen_on_linux_7_2() {
    cases_on("7.2", &exec_cases::all());
}
