//! `pfsnoop doctor TARGET PORT`: who listens on a port, and whether both dialers reach it.

use std::time::Duration;

use serde_json::Value;

use super::target::{check_target, echo_server};

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{eventually, stdout_of, system};
use crate::support::doctor::{examine_alone, find, fix, severity};
use crate::support::pod::DemoPod;
use crate::support::processes::assert_no_process_with;

#[test]
fn an_ipv4_mapped_address_of_an_ipv6_socket_is_reached() {
    let pod = DemoPod::start();
    let _server = echo_server(&pod, "TCP6-LISTEN:7103,bind=[::ffff:127.0.0.1],fork", 7103);
    let (findings, code) = check_target(&pod, &["7103"]);
    assert_eq!(severity(&findings, "target.listens", "7103 listens on 127.0.0.1"), "ok");
    assert_eq!((severity(&findings, "dial.nsenter", "connects to 7103"), code), ("ok", Some(0)));
}

#[test]
fn a_server_on_all_ipv6_addresses_only_fails_with_nsenter() {
    let pod = DemoPod::start();
    let _server = echo_server(&pod, "TCP6-LISTEN:7104,ipv6only,fork", 7104);
    let (findings, code) = check_target(&pod, &["7104"]);
    assert_eq!(severity(&findings, "target.listens", "7104 listens on [::]"), "ok");
    assert_eq!((severity(&findings, "dial.nsenter", "to 7104 fails"), code), ("fail", Some(1)));
    let native = format!("pfsnoop forward pid/{} 7104 --dialer native", pod.pause);
    assert_eq!(fix(&findings, "dial.nsenter"), native);
    let at = "connects to 7104, at ::1";
    // containerd and CRI-O do not know that localhost is ::1 too.
    let other = "containerd and CRI-O do not: localhost is not ::1 in /etc/hosts";
    assert_eq!(severity(&findings, "dial.native", at), "warn", "{findings:#?}");
    assert_eq!(severity(&findings, "dial.native", other), "warn");
    let hosts = temp_path("hosts-v6");
    for text in ["127.0.0.1 localhost\n::1 localhost\n", "::1 ip6-localhost localhost\n"] {
        std::fs::write(&hosts, text).unwrap();
        let script = format!(
            "mount --bind {} /etc/hosts; exec unshare --net bash -c \"ip link set lo up; \
             socat TCP6-LISTEN:7104,ipv6only,fork SYSTEM:true & until ss -Hltn | grep -q :7104; \
             do sleep 0.05; done; exec $PFSNOOP doctor -o json pid/\\$\\$ 7104\"",
            hosts.display()
        );
        let (findings, _) = examine_alone(&script);
        assert_eq!(severity(&findings, "dial.native", at), "ok", "{findings:#?}");
    }
    std::fs::remove_file(&hosts).unwrap();
}

#[test]
fn a_server_on_another_loopback_address_and_the_fix() {
    let pod = DemoPod::start();
    let _server = echo_server(&pod, "TCP4-LISTEN:7105,bind=127.0.0.2,fork", 7105);
    let (findings, code) = check_target(&pod, &["7105"]);
    assert_eq!(severity(&findings, "target.listens", "7105 listens on 127.0.0.2 only"), "fail");
    assert_eq!((severity(&findings, "dial.native", "to 7105 fails"), code), ("fail", Some(1)));
    // Neither dialer tries this address, so the fix is the same.
    let command = fix(&findings, "target.listens");
    assert_eq!(find(&findings, "dial.native", "").unwrap()["fix"], command);
    let _fix = Running::start(system("sh").args(["-c", &format!("exec {command}")]));
    let fixed = eventually("the fix", || {
        let (findings, code) = check_target(&pod, &["7105"]);
        (code == Some(0)).then_some(findings)
    });
    assert_eq!(severity(&fixed, "dial.nsenter", "connects to 7105"), "ok");
}

#[test]
fn a_port_whose_packets_are_dropped_times_out_with_both_dialers() {
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 8080 -j DROP";
    stdout_of(&mut pod.inside(&["sh", "-c", drop]));
    let (findings, code) = check_target(&pod, &["8080"]);
    assert_eq!((severity(&findings, "target.listens", "8080 listens"), code), ("ok", Some(1)));
    for check in ["dial.native", "dial.nsenter"] {
        assert_eq!(severity(&findings, check, "8080 fails: "), "fail");
        let found = find(&findings, check, "timed out").unwrap_or_else(|| panic!("{findings:#?}"));
        let took = Duration::from_nanos(found["duration_ns"].as_u64().unwrap());
        assert!((4..20).contains(&took.as_secs()), "{found}");
        assert_eq!(found["fix"], format!("nsenter -t {} -n iptables-save", pod.pause));
    }
    let rules = stdout_of(system("sh").args(["-c", fix(&findings, "dial.native")]));
    assert!(rules.contains("--dport 8080 -j DROP"), "{rules}");
    assert_no_process_with(&format!("-t {} -n", pod.pause));
}

#[test]
fn a_port_without_a_server_and_more_servers_than_are_tried() {
    let pod = DemoPod::start();
    let in_new_netns = |script: &str, ports: &str| {
        examine_alone(&format!(
            "unshare --net sh -c 'ip link set lo up; {script}; exec sleep 60' & pod=$!\n\
             until grep -qx sleep /proc/$pod/comm; do sleep 0.05; done\n\
             $PFSNOOP doctor -o json pid/$pod {ports}"
        ))
    };
    let (findings, code) = in_new_netns(":", "");
    assert_eq!(
        (severity(&findings, "target.listens", "nothing listens in"), code),
        ("warn", Some(0))
    );
    assert!(fix(&findings, "target.listens").starts_with("pfsnoop doctor pid/"), "{findings:#?}");
    let (findings, code) = in_new_netns(":", "80");
    let none = "nothing listens on 80, nor on any other port";
    assert_eq!((severity(&findings, "target.listens", none), code), ("fail", Some(1)));

    let (one, _) = check_target(&pod, &[]);
    assert!(find(&one, "target.listens", "are tried").is_none(), "{one:#?}");
    let dialed = |findings: &[Value]| {
        findings.iter().filter(|finding| finding["check"] == "dial.native").count()
    };
    assert_eq!(dialed(&one), 1);
    let _servers: Vec<Running> = (7201..=7208)
        .map(|port| echo_server(&pod, &format!("TCP4-LISTEN:{port},fork"), port))
        .collect();
    let (many, _) = check_target(&pod, &[]);
    let part = "9 ports listen inside the target; only the first 8 are tried";
    assert_eq!((severity(&many, "target.listens", part), dialed(&many)), ("note", 8));
}
