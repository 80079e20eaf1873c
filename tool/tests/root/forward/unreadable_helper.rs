//! A helper whose network namespace cannot be read.

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, stdout_of, system};
use crate::support::forward::{get, local_port};
use crate::support::processes::{child_of, signal};

/// Without these, root can read only processes that it may trace, and files that it may read.
const DROPPED: &str = "-sys_ptrace,-dac_override,-dac_read_search";

/// The kernel hides the namespaces of a process from others if its program cannot be read
/// (would_dump, fs/exec.c). pfsnoop then cannot tell whether nsenter is where it should be.
#[test]
fn a_helper_that_cannot_be_read_gets_no_bytes() {
    let dir = TempDir::new("unreadable-helper");
    // socat too: nsenter becomes socat within milliseconds.
    let programs = ["nsenter", "socat"].map(|program| {
        let copy = dir.join(program);
        std::fs::copy(format!("/usr/bin/{program}"), &copy).unwrap();
        copy
    });
    let forward = |mode: &str| {
        stdout_of(system("chmod").arg(mode).args(&programs));
        let script = format!(
            "unshare --net sh -c 'ip link set lo up; exec socat TCP4-LISTEN:7049,fork SYSTEM:\"cat /etc/hostname\"' & pod=$!\n\
             until nsenter -t $pod -n ss -Hltn | grep -q :7049; do sleep 0.05; done\n\
             trap 'kill $pod' EXIT\n\
             PATH={} {} forward --no-watch --dialer nsenter pid/$pod :7049",
            dir.path().display(),
            env!("CARGO_BIN_EXE_pfsnoop")
        );
        let mut command = system("setpriv");
        command.args(["--bounding-set", DROPPED, "--inh-caps", DROPPED]);
        Running::start(command.args(["bash", "-c", &script]))
    };
    for (mode, is_readable) in [("755", true), ("111", false)] {
        let mut running = forward(mode);
        let is_listener = |line: &str| line.starts_with("Forwarding from 127.0.0.1:");
        let port = local_port(&running.stdout_line("the listener", is_listener));
        let answer = get("127.0.0.1", port);
        assert_eq!(!answer.is_empty(), is_readable, "{mode}: {answer:?}");
        if !is_readable {
            let line = running.stderr_line("why", |line| line.contains("an error occurred"));
            assert!(line.contains("cannot check that nsenter has entered"), "{line}");
            assert!(line.contains("--dialer native"), "{line}");
        }
        let pfsnoop = child_of(running.pid(), env!("CARGO_BIN_EXE_pfsnoop")).unwrap();
        signal(pfsnoop, Signal::TERM);
        eventually("its end", || running.has_exited().then_some(()));
    }
}
