//! `pfsnoop doctor TARGET PORT`: who listens, and whether `localhost` leads there, as it is tried.

use std::time::Duration;

use serde_json::Value;

use crate::doctor::node::{find, severity};
use crate::doctor::target::{cure, listening, road};
use crate::forward::native::inside;
use crate::support::leftovers::assert_no_process_with;
use crate::support::{eventually, pod::DemoPod, running::Running, stdout_of, system};

#[test]
fn an_address_of_ipv4_on_a_socket_of_ipv6_is_reached() {
    let pod = DemoPod::start();
    let _server = listening(&pod, "TCP6-LISTEN:7103,bind=[::ffff:127.0.0.1],fork", 7103);
    let (findings, code) = road(&pod, &["7103"]);
    assert_eq!(severity(&findings, "target.listens", "7103 listens on 127.0.0.1"), "ok");
    assert_eq!((severity(&findings, "dial.nsenter", "connects to 7103"), code), ("ok", Some(0)));
}

#[test]
fn every_address_of_ipv6_alone_shows_when_it_is_dialed() {
    let pod = DemoPod::start();
    let _server = listening(&pod, "TCP6-LISTEN:7104,ipv6only,fork", 7104);
    let (findings, code) = road(&pod, &["7104"]);
    assert_eq!(severity(&findings, "target.listens", "7104 listens on [::]"), "ok");
    assert_eq!((severity(&findings, "dial.nsenter", "to 7104 fails"), code), ("fail", Some(1)));
    let native = format!("pfsnoop forward pid/{} 7104 --dialer native", pod.pause);
    assert_eq!(cure(&findings, "dial.nsenter"), native);
    assert_eq!(severity(&findings, "dial.native", "connects to 7104, at ::1"), "ok");
}

#[test]
fn another_address_of_loopback_and_its_cure() {
    let pod = DemoPod::start();
    let _server = listening(&pod, "TCP4-LISTEN:7105,bind=127.0.0.2,fork", 7105);
    let (findings, code) = road(&pod, &["7105"]);
    assert_eq!(severity(&findings, "target.listens", "7105 listens on 127.0.0.2 only"), "fail");
    assert_eq!((severity(&findings, "dial.native", "to 7105 fails"), code), ("fail", Some(1)));
    // The same for both: neither dialer asks there.
    let cure = cure(&findings, "target.listens");
    assert_eq!(find(&findings, "dial.native", "").unwrap()["cure"], cure);
    let _mended = Running::start(system("sh").args(["-c", &format!("exec {cure}")]));
    let sound = eventually("the cure", || {
        let (findings, code) = road(&pod, &["7105"]);
        (code == Some(0)).then_some(findings)
    });
    assert_eq!(severity(&sound, "dial.nsenter", "connects to 7105"), "ok");
}

#[test]
fn a_port_whose_packets_are_dropped_is_waited_for_no_longer_than_it_takes() {
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 8080 -j DROP";
    stdout_of(&mut inside(&pod, &["sh", "-c", drop]));
    let (findings, code) = road(&pod, &["8080"]);
    assert_eq!((severity(&findings, "target.listens", "8080 listens"), code), ("ok", Some(1)));
    for check in ["dial.native", "dial.nsenter"] {
        assert_eq!(severity(&findings, check, "8080 fails: "), "fail");
        let found = find(&findings, check, "timed out").unwrap_or_else(|| panic!("{findings:#?}"));
        let took = Duration::from_nanos(found["duration_ns"].as_u64().unwrap());
        assert!((4..20).contains(&took.as_secs()), "{found}");
        assert_eq!(found["cure"], format!("nsenter -t {} -n iptables-save", pod.pause));
    }
    let rules = stdout_of(system("sh").args(["-c", cure(&findings, "dial.native")]));
    assert!(rules.contains("--dport 8080 -j DROP"), "{rules}");
    assert_no_process_with(&format!("-t {} -n", pod.pause));
}

#[test]
fn nobody_who_listens_and_more_than_are_tried() {
    let pod = DemoPod::start();
    let bare = |script: &str, ports: &str| {
        crate::doctor::node::alone(&format!(
            "unshare --net sh -c 'ip link set lo up; {script}; exec sleep 60' & pod=$!\n\
             until grep -qx sleep /proc/$pod/comm; do sleep 0.05; done\n\
             $PFSNOOP doctor -o json pid/$pod {ports}"
        ))
    };
    let (findings, code) = bare(":", "");
    assert_eq!(
        (severity(&findings, "target.listens", "nothing listens in"), code),
        ("warn", Some(0))
    );
    assert!(cure(&findings, "target.listens").starts_with("pfsnoop doctor pid/"), "{findings:#?}");
    let (findings, code) = bare(":", "80");
    let none = "nothing listens on 80, nor on any other port";
    assert_eq!((severity(&findings, "target.listens", none), code), ("fail", Some(1)));

    let (sound, _) = road(&pod, &[]);
    assert!(find(&sound, "target.listens", "are tried").is_none(), "{sound:#?}");
    let dialed = |findings: &[Value]| {
        findings.iter().filter(|finding| finding["check"] == "dial.native").count()
    };
    assert_eq!(dialed(&sound), 1);
    let _servers: Vec<Running> = (7201..=7208)
        .map(|port| listening(&pod, &format!("TCP4-LISTEN:{port},fork"), port))
        .collect();
    let (many, _) = road(&pod, &[]);
    let part = "9 ports listen in there; the first 8 are tried";
    assert_eq!((severity(&many, "target.listens", part), dialed(&many)), ("note", 8));
}
