//! The doctor and `history` on pods of a real containerd.

use crate::common::temp::TempDir;
use crate::common::{eventually, pfsnoop};
use crate::support::containerd::Containerd;
use crate::support::doctor::{examine, find, severity};
use crate::support::netns::netns_of;
use crate::support::store::{agent, connect_often, stored, wait_for_stored};

#[test]
fn the_doctor_says_how_the_last_forwards_to_a_pod_ended() {
    let containerd = Containerd::start("store-doctor");
    let endpoint = containerd.endpoint();
    let pod = containerd.run_pod("shop", "kuard", "page", 8080);
    let folder = TempDir::new("store-doctor");
    let store = folder.join("sessions.db");
    let agent = agent(&store, &["--runtime-endpoint", &endpoint]);
    let pid = Containerd::pid_in(&pod);
    eventually("the server", || {
        let connected = crate::support::netns::in_netns_of(pid, || {
            std::net::TcpStream::connect("127.0.0.1:8080").is_ok()
        });
        connected.then_some(())
    });
    connect_often(pid, 8080, 30);
    wait_for_stored(&store, netns_of(pid), 31);
    let doctor = || {
        let path = store.to_str().unwrap();
        let args = [
            "doctor",
            "-o",
            "json",
            "--runtime-endpoint",
            &endpoint,
            "--store",
            path,
            "shop/kuard",
        ];
        examine(&mut pfsnoop(&args)).0
    };
    let well = doctor();
    assert_eq!(severity(&well, "target.history", "forwards to this pod ended well"), "ok");
    connect_often(pid, 9, 18);
    eventually("the refusals", || {
        let refused = stored(&store, &["--pod", "shop/kuard", "--outcome", "refused"]).len();
        (refused == 18).then_some(())
    });
    let badly = doctor();
    assert_eq!(
        severity(&badly, "target.history", "the last 20 forwards to this pod: 18 refused"),
        "note"
    );
    let what = find(&badly, "target.history", "").unwrap()["what"].as_str().unwrap();
    let before: usize = what.rsplit(' ').nth(1).unwrap().parse().unwrap();
    assert!(before >= 31 && what.ends_with(" ok"), "{what}");
    let count = |args: &[&str]| stored(&store, args).len();
    let all = count(&["--pod", "kuard"]);
    assert!(all >= 49);
    for args in [["-n", "shop"], ["--container", "web"], ["--container", &pod.web[..12]]] {
        // A native session leads to the pod: which container it is, is not known.
        assert!(count(&args) == all || args[0] == "--container", "{args:?}");
    }
    assert_eq!((count(&["--pod", "other/kuard"]), count(&["-n", "other"])), (0, 0));
    drop(agent);
}
