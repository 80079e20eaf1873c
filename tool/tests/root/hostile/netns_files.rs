//! A runtime that reports something else than a network namespace as the file of one.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{pfsnoop, stdout_of, system};
use crate::support::cri_server::ServedPod;

/// Runs a command to its end, which must come soon. Returns its exit code and stderr.
fn ends(command: &mut Command, what: &str) -> (Option<i32>, String) {
    let start = Instant::now();
    let mut running = Running::start(command);
    while !running.has_exited() {
        if start.elapsed() > Duration::from_secs(10) {
            running.signal(Signal::KILL);
            panic!("{what}: it hangs; {:#?}", running.stderr());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let (status, _, stderr) = running.end();
    (status.code(), stderr.join("\n"))
}

/// `targets` and `forward` with a runtime that reports this file.
fn commands(socket: &Path) -> [Vec<String>; 2] {
    let endpoint = socket.display().to_string();
    [
        ["targets", "--runtime-endpoint", &endpoint].map(str::to_owned).to_vec(),
        ["forward", "shop/crash", ":80", "--runtime-endpoint", &endpoint]
            .map(str::to_owned)
            .to_vec(),
    ]
}

#[test]
fn what_is_no_namespace_is_not_opened() {
    let dir = TempDir::new("no-netns");
    stdout_of(system("mkfifo").arg(dir.join("pipe")));
    // The driver of a device that is not there would say so when it is opened.
    stdout_of(system("mknod").arg(dir.join("device")).args(["c", "240", "0"]));
    std::fs::write(dir.join("file"), "x").unwrap();
    symlink("pipe", dir.join("link")).unwrap();
    symlink("loop", dir.join("loop")).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap();
    let others =
        ["/proc/self/ns/uts", "/dev/null", "/", "/proc/self/root/dev/null", "/nonexistent"];
    let in_dir = ["pipe", "device", "file", "link", "loop", "socket"].map(|name| dir.join(name));
    let all = in_dir.into_iter().chain(others.map(Into::into));
    for (number, netns) in all.enumerate() {
        let socket = dir.join(&format!("{number}.sock"));
        ServedPod { netns: netns.clone() }.serve(&socket);
        let what = netns.display().to_string();
        let [targets, forward] = commands(&socket);
        let as_str = |args: Vec<String>| -> Command {
            let mut command = pfsnoop(&[]);
            command.args(args);
            command
        };
        let (code, stderr) = ends(&mut as_str(targets), &what);
        let refused = format!("{what} is not a network namespace that can be entered");
        assert!(code == Some(0) && stderr.contains(&refused), "{what}: {stderr}");
        let (code, stderr) = ends(&mut as_str(forward), &what);
        assert!(code == Some(1) && stderr.contains(&refused), "{what}: {stderr}");
        assert!(!stderr.contains("No such device"), "{what} was opened: {stderr}");
    }
    drop(listener);
}

/// The daemon of the file system never answers, so whoever looks up a name there hangs.
#[test]
fn a_file_system_whose_daemon_is_silent_is_not_entered() {
    let dir = TempDir::new("fuse");
    let socket = dir.join("cri.sock");
    let mount = dir.join("mount");
    std::fs::create_dir(&mount).unwrap();
    symlink("mount/inside/file", dir.join("link")).unwrap();
    ServedPod { netns: dir.join("link") }.serve(&socket);
    for args in commands(&socket) {
        let script = "exec 3<>/dev/fuse && mount -i -t fuse -o \
            fd=3,rootmode=40000,user_id=0,group_id=0,allow_other silent \"$1\" && shift && exec \"$0\" \"$@\"";
        let mut command = system("unshare");
        command.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_pfsnoop")]);
        let (_, stderr) = ends(command.arg(&mount).args(&args), "FUSE");
        assert!(stderr.contains("a file system that may not answer (fuse)"), "{stderr}");
    }
}
