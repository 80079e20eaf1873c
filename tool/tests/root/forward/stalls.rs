//! A forward that something holds up: a stdout that nobody reads, a helper that does not exit, too
//! few files.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, prlimit};

use crate::common::running::Running;
use crate::common::temp::{TempDir, temp_path};
use crate::common::{TEST_TIMEOUT, WaitInTime as _, eventually, pfsnoop};
use crate::support::forward::{forward_native, get, local_port, start_listening};
use crate::support::pod::DemoPod;
use crate::support::processes::{assert_no_process_with, child_of, processes, signal};

/// For instance in a pipe to `less` that shows its first page, or after Ctrl-S.
#[test]
fn open_connections_go_on_while_nobody_reads_stdout() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7040, "serve-echo");
    let (reader, writer) = pipe_with(PipeFlags::empty()).unwrap();
    fcntl_setpipe_size(&writer, 4096).unwrap();
    let target = pod.target();
    let mut command =
        pfsnoop(&["forward", "--dialer", "native", "--no-watch", &target, ":7040", ":9"]);
    let mut forward = command.stdout(Stdio::from(writer)).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let mut stdout = std::fs::File::from(reader);
    let mut said = String::new();
    while said.lines().filter(|line| line.contains("127.0.0.1:")).count() < 2
        || !said.ends_with('\n')
    {
        let mut bytes = [0; 1024];
        let read = stdout.read(&mut bytes).unwrap();
        said.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    let mut v4 = said.lines().filter(|line| line.contains("127.0.0.1:")).map(local_port);
    let (echo, refused) = (v4.next().unwrap(), v4.next().unwrap());
    let mut open = TcpStream::connect(("127.0.0.1", echo)).unwrap();
    open.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    open.write_all(b"1").unwrap();
    assert_eq!(open.read(&mut [0]).unwrap(), 1);
    // Each connection makes two lines of about fifty bytes.
    for _ in 0..100 {
        let mut client = TcpStream::connect(("127.0.0.1", refused)).unwrap();
        client.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
    }
    for _ in 0..10 {
        open.write_all(b"2").unwrap();
        assert_eq!(open.read(&mut [0]).unwrap(), 1, "it goes on");
    }
    forward.kill().unwrap();
    forward.wait_in_time();
}

/// A forward that runs this shell script in place of socat. Returns its local port, and the folder of
/// the script.
fn with_socat(pod: &DemoPod, name: &str, script: &str) -> (Running, u16, TempDir) {
    let bin = TempDir::new(name);
    bin.script("socat", script);
    let mut command = pfsnoop(&["forward", &pod.target(), ":8080", "--dialer", "nsenter"]);
    let (forward, local) = start_listening(command.env("PATH", bin.before_system_path()));
    (forward, local, bin)
}

#[test]
fn a_helper_that_closes_its_output_and_does_not_exit_is_killed() {
    let pod = DemoPod::start();
    let text = "exec >&- 2>&-; exec sleep 7041";
    let (mut forward, local, _bin) = with_socat(&pod, "mute", text);
    let _client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    eventually("its sleep", || {
        let all = processes();
        all.iter().any(|(.., line)| line.starts_with("sleep 7041")).then_some(())
    });
    forward.signal(Signal::INT);
    assert!(forward.wait().success());
    assert_no_process_with("sleep 7041");
}

/// A program that the helper has started keeps the helper's stderr open.
#[test]
fn it_does_not_wait_for_another_process_that_holds_a_helpers_stderr() {
    let pod = DemoPod::start();
    let text = "sleep 7042 < /dev/null > /dev/null & echo $! >&2; exit 3";
    let (mut forward, local, _bin) = with_socat(&pod, "held", text);
    get("127.0.0.1", local);
    forward.stdout_line("the end", |line| line.starts_with("Closed") && line.ends_with("failed"));
    let all = processes();
    let (pid, ..) = all.iter().find(|(.., line)| line.starts_with("sleep 7042")).unwrap();
    signal(*pid, Signal::KILL);
}

/// A connection needs one file for each side, and more for the relay between them.
#[test]
fn a_connection_that_fails_for_lack_of_files_says_so() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward_native(&pod, &[":8080"]);
    let pid = Pid::from_raw(forward.pid().cast_signed()).unwrap();
    let open: Vec<u64> = std::fs::read_dir(format!("/proc/{}/fd", forward.pid()))
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().parse().unwrap())
        .collect();
    let free = (0..).filter(|number| !open.contains(number)).nth(3).unwrap();
    let few = Rlimit { current: Some(free), ..getrlimit(Resource::Nofile) };
    prlimit(Some(pid), Resource::Nofile, few).unwrap();
    get("127.0.0.1", locals[0]);
    let said = forward.stderr_line("the reason", |line| line.contains("an error occurred"));
    assert!(said.contains("cannot make a pipe; `ulimit -n`"), "{said}");
    assert!(said.contains("Too many open files"), "{said}");
}

/// nsenter needs a process, so only the native dialer reaches a namespace that is named by a file.
#[test]
fn auto_says_that_it_dials_natively_without_a_process() {
    let (pod, path) = (DemoPod::start(), temp_path("netns"));
    std::os::unix::fs::symlink(format!("/proc/{}/ns/net", pod.pause), &path).unwrap();
    let target = format!("netns/{}", path.display());
    let (mut forward, local) = start_listening(&mut pfsnoop(&["forward", &target, ":8080"]));
    forward.stderr_line("the dialer", |line| line.contains("dialing natively"));
    assert!(get("127.0.0.1", local).contains("pfsnoop demo pod"));
    std::fs::remove_file(path).unwrap();
}

/// socat catches SIGTERM and exits with a code that names the signal.
#[test]
fn with_no_watch_a_helper_that_gets_sigterm_is_reported_as_killed() {
    let pod = DemoPod::start();
    let target = pod.target();
    let args = ["forward", "--dialer", "nsenter", "--no-watch", &target, ":8080"];
    let (mut forward, local) = start_listening(&mut pfsnoop(&args));
    let mut client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    client.write_all(b"GET").unwrap();
    let socat = eventually("socat", || child_of(forward.pid(), "/usr/bin/socat"));
    // socat catches signals once it is connected.
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal(socat, Signal::TERM);
    forward.stdout_line("the end", |line| line.starts_with("Closed") && line.ends_with("killed"));
}
