//! Many processes with the names of daemons and helpers.

use serde_json::Value;

use crate::support::doctor::{examine_alone, find};
use crate::support::fixture::silent_fuse;

/// The findings beside a hundred processes of root, or of what `start` makes of it, with that name and no
/// parent.
fn beside_a_hundred(name: &str, start: &str) -> Vec<Value> {
    let (findings, _) = examine_alone(&format!(
        "mount -t tmpfs none /mnt; cp {} /mnt/impostor; chmod 755 /mnt/impostor\n\
         export SILENT_FUSE_DIR=/mnt SILENT_FUSE_WAY=none\n\
         for i in {{1..100}}; do ({start} /bin/bash -c \
         'PATH=/nowhere exec -a {name} /mnt/impostor - TCP4:localhost:80' >> /mnt/ready &); done\n\
         for i in {{1..300}}; do [ $(wc -l < /mnt/ready) = 100 ] && break; sleep 0.1; done\n\
         [ $(wc -l < /mnt/ready) = 100 ] || exit 9\n\
         $PFSNOOP doctor -o json",
        silent_fuse().display()
    ));
    findings
}

#[test]
fn a_hundred_false_socats_are_one_finding_and_one_command() {
    let findings = beside_a_hundred("socat", "");
    let is_leftover = |one: &&Value| one["check"].as_str().unwrap().starts_with("leftover");
    let left: Vec<_> = findings.iter().filter(is_leftover).collect();
    let [one] = left[..] else { panic!("{left:#?}") };
    let what = one["what"].as_str().unwrap();
    assert!(what.ends_with("; the same is true of 99 more processes named socat"), "{what}");
    let pids = one["fix"].as_str().unwrap().split(' ').filter(|word| word.parse::<u32>().is_ok());
    assert_eq!(pids.count(), 20, "{one}");
}

#[test]
fn a_socat_of_another_user_is_no_forward_of_the_nodes() {
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    let findings = beside_a_hundred("socat", nobody);
    assert!(find(&findings, "leftover", "no socat of a forward is running").is_some());
}

#[test]
fn a_hundred_false_kubelets_are_one_finding_for_each_cause() {
    let elsewhere = " in namespaces or files that are not the node's does not find socat";
    for (start, part, severity) in [
        ("", ") does not find socat", "fail"),
        // These are in no container's cgroup.
        ("unshare --pid --fork", elsewhere, "warn"),
        ("unshare --user --map-root-user", elsewhere, "warn"),
    ] {
        let findings = beside_a_hundred("kubelet", start);
        for check in ["helper.socat", "helper.nsenter", "limit.daemon-files"] {
            let is_it = |one: &&Value| {
                one["check"] == check && one["what"].as_str().unwrap().contains("kubelet (pid ")
            };
            let about: Vec<_> = findings.iter().filter(is_it).collect();
            let [one] = about[..] else { panic!("{start}: {check}: {about:#?}") };
            let what = one["what"].as_str().unwrap();
            assert!(
                what.ends_with("the same is true of 15 more processes named kubelet"),
                "{what}"
            );
            let fix = one["fix"].as_str().unwrap_or("# ");
            assert!(start.is_empty() || fix.starts_with("# "), "{fix}");
        }
        let socat = find(&findings, "helper.socat", part);
        assert_eq!(socat.unwrap_or_else(|| panic!("{findings:#?}"))["severity"], severity);
        let rest = "84 more processes named kubelet were not looked at";
        assert!(find(&findings, "helper.socat", rest).is_some(), "{findings:#?}");
    }
}
