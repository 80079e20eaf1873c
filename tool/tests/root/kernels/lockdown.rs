//! A kernel that is locked down: on a machine of its own, since nothing lifts that.

use serde_json::Value;

use crate::support::doctor::{fix, parse_findings, severity};
use crate::support::vm;

/// Shell: each command, and what it says and exits with. Then a forward that needs no tracing. The demo looks
/// for socat before it traces.
const COMMANDS: &str = "\
ip link set lo up
ln -s /odd-exec /bin/socat
mkdir /tmp/www; echo guest > /tmp/www/index.html
unshare -n sh -c 'ip link set lo up; exec httpd -f -p 8080 -h /tmp/www' & pod=$!
sleep 1
say() { \"$@\" > /tmp/out 2> /tmp/err < /dev/null; code=$?; sed \"s/^/$code $2: /\" /tmp/err; }
say /pfsnoop exec --duration 5
say /pfsnoop exec -x --exit -o json --duration 5
say /pfsnoop watch --duration 5
say /pfsnoop forward --dialer native pid/$pod 80:8080
say /pfsnoop demo
/pfsnoop forward --dialer native --no-watch pid/$pod 81:8080 > /dev/null 2>&1 & forward=$!
tries=0
until wget -q -O - http://127.0.0.1:81/ || [ $tries = 100 ]; do sleep 0.1; tries=$((tries+1)); done
kill $forward $pod
/pfsnoop doctor -o json; echo \"doctor $?\"";

fn findings(printed: &str) -> Vec<Value> {
    let lines: Vec<&str> = printed.lines().filter(|line| line.starts_with('{')).collect();
    parse_findings(&lines.join("\n"))
}

fn assert_says(printed: &str, fix_has: &str) {
    for (command, count) in [("exec", 2), ("watch", 1), ("forward", 1), ("demo", 1)] {
        let start = format!("1 {command}: ");
        let all: Vec<&str> = printed.lines().filter(|line| line.starts_with(&start)).collect();
        assert_eq!(all.len(), count, "one line each of {command}: {printed}");
        for line in all {
            let (lockdown, works) = ("the kernel is locked down", "`forward --no-watch`");
            assert!(line.contains(lockdown) && line.contains(works), "{line}");
        }
    }
    assert!(printed.lines().any(|line| line == "guest"), "forward --no-watch works: {printed}");
    assert!(printed.lines().any(|line| line == "doctor 1"), "{printed}");
    let findings = findings(printed);
    for check in ["kernel.lockdown", "kernel.tracing"] {
        assert_eq!(severity(&findings, check, "locked down"), "fail");
        let fix = fix(&findings, check);
        assert!(fix.contains(fix_has), "{check}: {fix}");
    }
}

#[test]
fn every_command_says_that_linux_6_12_is_locked_down() {
    // securityfs is not mounted.
    assert_says(&vm::run("6.12", "lockdown=confidentiality", COMMANDS), "lockdown=integrity");
}

#[test]
fn every_command_says_that_linux_5_10_is_locked_down() {
    assert_says(&vm::run("5.10", "lockdown=confidentiality", COMMANDS), "lockdown=integrity");
}

#[test]
fn a_lockdown_after_the_boot_has_another_fix() {
    let lock = "mount -t securityfs none /sys/kernel/security
        echo confidentiality > /sys/kernel/security/lockdown";
    let printed = vm::run("7.2", "", &format!("{lock}\n{COMMANDS}"));
    assert_says(&printed, "grep -rs security/lockdown");
}

#[test]
fn integrity_allows_tracing() {
    let script = "/pfsnoop -n odd-exec -x --exit -o json -v > /tmp/records 2> /tmp/said & snoop=$!
        tries=0
        until grep -q attached /tmp/said || [ $tries = 100 ]; do sleep 0.1; tries=$((tries+1)); done
        /odd-exec exit 0 m-integrity; sleep 1; kill -INT $snoop; wait $snoop; cat /tmp/said
        grep m-integrity /tmp/records; /pfsnoop doctor -o json";
    let printed = vm::run("6.12", "lockdown=integrity", script);
    assert!(printed.contains("\"m-integrity\""), "{printed}");
    let findings = findings(printed.split_once("m-integrity").unwrap().1);
    assert_eq!(severity(&findings, "kernel.lockdown", "integrity"), "ok");
    assert_eq!(severity(&findings, "kernel.tracing", ""), "ok");
}
