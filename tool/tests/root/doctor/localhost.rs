//! `pfsnoop doctor TARGET`: the address of localhost in /etc/hosts.

use crate::common::temp::{TempDir, temp_path};
use crate::common::{stdout_of, system};
use crate::support::doctor::{examine_alone, fix, severity};
use crate::support::stand_in::StandIn;

/// Shell: `pod` starts a server on 127.0.0.1:7110 in a new network namespace. `$pod` is its pid.
const POD: &str = "\
    pod() { unshare --net sh -c 'ip link set lo up; \
    exec socat TCP4-LISTEN:7110,bind=127.0.0.1,fork,reuseaddr SYSTEM:true' & pod=$!
    until nsenter -t $pod -n ss -Hltn | grep -q :7110; do sleep 0.05; done; }";

#[test]
fn localhost_with_an_unusual_address_in_etc_hosts() {
    let hosts = temp_path("hosts");
    let with = |text: &str, script: &str| {
        std::fs::write(&hosts, text).unwrap();
        let hosts = hosts.display();
        examine_alone(&format!(
            "{POD}\nmount --bind {hosts} /etc/hosts\npod\n{script}\n\
             $PFSNOOP doctor -o json pid/$pod 7110"
        ))
        .0
    };
    let astray = with("127.0.0.9 x\n10.9.9.9 localhost\n", "");
    let part = "localhost is 10.9.9.9 in /etc/hosts";
    assert_eq!(severity(&astray, "target.localhost", part), "fail");
    assert_eq!(severity(&astray, "dial.nsenter", "to 7110 fails"), "fail");
    let near = with("127.0.0.2 localhost\n", "");
    let part = "localhost is 127.0.0.2 in /etc/hosts: a server on 127.0.0.1 cannot be reached";
    assert_eq!(severity(&near, "target.localhost", part), "warn");
    assert_eq!(severity(&near, "dial.nsenter", "to 7110 fails"), "fail");
    assert_eq!(severity(&with("127.0.0.1 localhost\n", ""), "target.localhost", "127.0.0.1"), "ok");

    for text in ["", "::1 x\n"] {
        let none = with(text, "");
        assert_eq!(severity(&none, "target.localhost", "localhost is not in"), "warn");
        let command = fix(&none, "target.localhost");
        let fixed = with(text, &format!("{command} > /dev/null"));
        assert_eq!(severity(&fixed, "target.localhost", "localhost is 127.0.0.1 in"), "ok");
    }
    // sed(1) replaces the file, which is impossible under a mount. So the fix runs on the file itself.
    let command = fix(&astray, "target.localhost");
    std::fs::write(&hosts, "10.9.9.9 localhost\n").unwrap();
    stdout_of(system("sh").args(["-c", &command.replace("/etc/hosts", hosts.to_str().unwrap())]));
    assert_eq!(
        std::fs::read_to_string(&hosts).unwrap(),
        "127.0.0.1 localhost\n10.9.9.9 localhost\n"
    );
    std::fs::remove_file(&hosts).unwrap();
}

#[test]
fn localhost_is_read_from_the_mount_namespace_of_the_daemon() {
    // The daemon's file is correct, since the doctors of other tests see this stand-in too. The
    // doctor's own file is not.
    let dir = TempDir::new("spawner");
    std::fs::write(dir.join("theirs"), "127.0.0.1 localhost\n").unwrap();
    std::fs::write(dir.join("ours"), "10.9.9.9 localhost\n").unwrap();
    let spawner = StandIn::new("cri-dockerd", "doctor-spawner");
    let (findings, _) = examine_alone(&format!(
        "{POD}\npod\ncd {}; mount --bind ours /etc/hosts\n\
         unshare --mount sh -c 'mount --bind theirs /etc/hosts; exec {} 60' &\n{}\n\
         $PFSNOOP doctor -o json pid/$pod 7110",
        dir.path().display(),
        spawner.path().display(),
        spawner.is_up(),
    ));
    let part = "localhost is 127.0.0.1 in /etc/hosts of cri-dockerd (pid ";
    assert_eq!(severity(&findings, "target.localhost", part), "ok");
    assert_eq!(severity(&findings, "dial.nsenter", "10.9.9.9:7110"), "fail");
}
