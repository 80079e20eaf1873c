//! `pfsnoop doctor` with container runtimes that do not answer.

use std::os::unix::net::UnixListener;
use std::time::Instant;

use crate::common::pfsnoop;
use crate::common::temp::temp_path;
use crate::support::doctor::{examine, examine_alone, fix, severity};

#[test]
fn a_stale_socket_at_a_default_path_is_only_a_warning() {
    for (socket, unit) in [
        ("docker.sock", "docker"),
        ("containerd/containerd.sock", "containerd"),
        ("k3s/containerd/containerd.sock", "k3s"),
        ("crio/crio.sock", "crio"),
        ("podman/podman.sock", "podman.socket"),
    ] {
        let (findings, code) = examine_alone(&format!(
            "mount -t tmpfs none /run; mkdir -p $(dirname /run/{socket})\n\
             socat -u UNIX-LISTEN:/run/{socket},unlink-close=0 - &\n\
             until [ -S /run/{socket} ]; do sleep 0.05; done; kill $!; wait $!\n\
             $PFSNOOP doctor -o json"
        ));
        let part = format!("{socket} does not answer: ");
        assert_eq!((severity(&findings, "runtime", &part), code), ("warn", Some(0)));
        assert_eq!(fix(&findings, "runtime"), format!("systemctl restart {unit}"));
    }
}

#[test]
fn a_runtime_that_does_not_answer_times_out() {
    let socket = temp_path("silent");
    // Connections stay in the queue: nobody accepts or refuses them.
    let _listener = UnixListener::bind(&socket).unwrap();
    let path = socket.to_str().unwrap();
    for kind in ["cri", "docker", "podman"] {
        for (target, check) in [(None, "runtime"), (Some("kuard"), "target.found")] {
            let start = Instant::now();
            let args = ["doctor", "-o", "json", "--runtime", kind, "--runtime-endpoint", path];
            let (findings, code) = examine(pfsnoop(&args).args(target));
            assert_eq!((severity(&findings, check, path), code), ("fail", Some(1)));
            let took = start.elapsed();
            assert!((4..15).contains(&took.as_secs()), "{kind}: {took:?}");
        }
    }
    std::fs::remove_file(&socket).unwrap();
}

#[test]
fn a_default_socket_with_a_stopped_runtime_is_a_failure() {
    // These connections fill the queue.
    let fill_queue = |count: u32| {
        format!("for i in {{1..{count}}}; do socat -u UNIX-CONNECT:$at - & done; sleep 1")
    };
    for (socket, waiting, why) in [
        ("docker.sock", String::new(), "no answer in 5 s"),
        ("containerd/containerd.sock", String::new(), "no answer in 5 s"),
        ("containerd/containerd.sock", fill_queue(12), "operation would block"),
    ] {
        let (findings, code) = examine_alone(&format!(
            "mount -t tmpfs none /run; mkdir -p $(dirname /run/{socket})\n\
             at=/run/{socket}; socat -u UNIX-LISTEN:$at,fork EXEC:'sleep 60' & socat=$!\n\
             until [ -S $at ]; do sleep 0.05; done; kill -STOP $socat\n\
             {waiting}\n\
             $PFSNOOP doctor -o json; code=$?; kill -KILL $socat; exit $code"
        ));
        let part = format!("{socket} does not answer: {why}");
        assert_eq!((severity(&findings, "runtime", &part), code), ("fail", Some(1)), "{socket}");
    }
}
