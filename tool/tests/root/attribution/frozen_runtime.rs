//! A containerd that is stopped while processes of containers that nobody knows come and go.

use std::path::Path;
use std::process::Command;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, pfsnoop, stdout_of, system};
use crate::support::cgroup::Cgroup;
use crate::support::containerd::Containerd;
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::records::in_state;

/// How many containers there are, and how many execs happen in each.
const CONTAINERS: usize = 250;
const EXECS_EACH: usize = 20;
const EXECS: usize = CONTAINERS * EXECS_EACH;

/// Shell: `$0` is a program, `$1` how many execs each of the cgroups in the other arguments gets.
/// The shell moves from one cgroup to the next. It is also the target that the arguments name.
const STORM: &str = "count=$1; shift
    for cgroup; do
        echo $$ > $cgroup/cgroup.procs
        for ((i = 0; i < count; i++)); do $0 -t $$ -n socat - TCP4:localhost:7131; done
    done
    echo $$ > ${1%/*}/cgroup.procs";

/// Starts so many processes as two shells can, each in a container that no runtime knows.
fn storm(nsenter: &Path, containers: &[Cgroup]) {
    let shell = |containers: &[Cgroup]| {
        let mut bash = system("unshare");
        bash.args(["--net", "bash", "-c", STORM]).arg(nsenter).arg(EXECS_EACH.to_string());
        bash.args(containers.iter().map(Cgroup::path));
        stdout_of(&mut bash);
    };
    let (first, second) = containers.split_at(CONTAINERS / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| shell(first));
        scope.spawn(|| shell(second));
    });
}

fn rows(snoop: &Running) -> usize {
    snoop.stdout().iter().filter(|line| line.ends_with(" TCP4:localhost:7131")).count()
}

/// A lookup takes five seconds to fail, and there are hundreds. No event is lost meanwhile.
#[test]
fn nothing_is_lost_while_containerd_is_stopped() {
    let _exclusive = exclusive_ring_buffers();
    let containerd = Containerd::start("frozen-storm");
    let _frozen = containerd.freeze();
    let dir = TempDir::new("frozen-storm");
    let nsenter = dir.join("nsenter");
    std::fs::copy("/bin/true", &nsenter).unwrap();
    let name = |number: usize| format!("cri-containerd-{number:064x}.scope");
    let containers: Vec<_> = (0..CONTAINERS).map(|number| Cgroup::named(&name(number))).collect();

    let of_containerd = |args: &[&str]| -> Command {
        let mut command = pfsnoop(args);
        command.env("CONTAINER_RUNTIME_ENDPOINT", containerd.endpoint());
        command
    };
    let execs = ["exec", "-v", "-n", "^nsenter$", "-l", "7131"];
    let sessions = ["watch", "-v", "-o", "json", "--port", "7131"];
    let plain = Running::start_attached(&mut of_containerd(&execs));
    let wide = Running::start_attached(&mut of_containerd(&[&execs[..], &["-o", "wide"]].concat()));
    let watch = Running::start_attached(&mut of_containerd(&sessions));
    storm(&nsenter, &containers);
    eventually("the rows without names", || (rows(&plain) == EXECS).then_some(()));
    eventually("the rows with names", || (rows(&wide) == EXECS).then_some(()));
    eventually("the sessions", || (in_state(&watch, "closed").len() == EXECS).then_some(()));
    for running in [plain, wide, watch] {
        let (status, _, stderr) = running.interrupt();
        assert!(status.success());
        assert!(!stderr.iter().any(|line| line.contains("lost")), "{stderr:#?}");
    }
}
