//! A forward whose surroundings stand still: whoever reads its output, a helper, the limit of files.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use crate::forward::basics::get;
use crate::forward::native::inside;
use crate::support::leftovers::assert_no_process_with;
use crate::support::{PATIENCE, eventually, pfsnoop, pod::DemoPod, running::Running};

fn local_port(line: &str) -> u16 {
    line.split([':', ' ']).nth(3).unwrap().parse().unwrap()
}

fn echo(pod: &DemoPod) -> Running {
    let fixture = crate::exec::unusual_execs::fixture();
    Running::start(&mut inside(pod, &[fixture.to_str().unwrap(), "serve-echo", "7040"]))
}

/// As where `| less` shows the first page, or Ctrl-S was hit.
#[test]
fn open_connections_go_on_while_nobody_reads_stdout() {
    let pod = DemoPod::start();
    let _server = echo(&pod);
    let (reader, writer) = pipe_with(PipeFlags::empty()).unwrap();
    fcntl_setpipe_size(&writer, 4096).unwrap();
    let target = format!("pid/{}", pod.pause);
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
    let mut open = eventually("the server", || {
        let mut open = TcpStream::connect(("127.0.0.1", echo)).unwrap();
        open.set_read_timeout(Some(PATIENCE)).unwrap();
        open.write_all(b"1").unwrap();
        (open.read(&mut [0]).ok()? == 1).then_some(open)
    });
    // Each has two lines of some fifty bytes.
    for _ in 0..100 {
        let mut client = TcpStream::connect(("127.0.0.1", refused)).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
    }
    for _ in 0..10 {
        open.write_all(b"2").unwrap();
        assert_eq!(open.read(&mut [0]).unwrap(), 1, "it goes on");
    }
    forward.kill().unwrap();
    forward.wait().unwrap();
}

/// A forward by a program of that text in the place of socat.
fn with_socat(pod: &DemoPod, name: &str, text: &str) -> (Running, u16, PathBuf) {
    let bin = std::env::temp_dir().join(format!("pfsnoop-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("socat"), format!("#!/bin/sh\n{text}\n")).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("socat"), executable).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let target = format!("pid/{}", pod.pause);
    let mut command = pfsnoop(&["forward", &target, ":8080", "--dialer", "nsenter"]);
    let mut forward = Running::start(command.env("PATH", path));
    let local = forward.stdout_line("listener", |line| line.contains("127.0.0.1:"));
    (forward, local_port(&local), bin)
}

#[test]
fn a_helper_that_says_its_last_and_does_not_end_is_ended() {
    let pod = DemoPod::start();
    let text = "exec >&- 2>&-; exec sleep 7041";
    let (mut forward, local, bin) = with_socat(&pod, "mute", text);
    let _client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    eventually("its sleep", || {
        let all = crate::support::leftovers::processes();
        all.iter().any(|(.., line)| line.starts_with("sleep 7041")).then_some(())
    });
    forward.signal(Signal::INT);
    assert!(forward.wait().success());
    assert_no_process_with("sleep 7041");
    std::fs::remove_dir_all(bin).unwrap();
}

/// As a program that the helper has started would.
#[test]
fn whoever_else_holds_a_helpers_stderr_is_not_waited_for() {
    let pod = DemoPod::start();
    let text = "sleep 7042 < /dev/null > /dev/null & echo $! >&2; exit 3";
    let (mut forward, local, bin) = with_socat(&pod, "held", text);
    get("127.0.0.1", local);
    forward.stdout_line("the end", |line| line.starts_with("Closed") && line.ends_with("failed"));
    let all = crate::support::leftovers::processes();
    let (pid, ..) = all.iter().find(|(.., line)| line.starts_with("sleep 7042")).unwrap();
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    std::fs::remove_dir_all(bin).unwrap();
}

/// A connection takes two files for its two sides, and then more for what lies between.
#[test]
fn a_want_of_files_is_nobody_elses_fault() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "native", &target, ":8080"];
    let mut forward = Running::start(&mut pfsnoop(&args));
    let local = local_port(&forward.stdout_line("listener", |l| l.contains("127.0.0.1:")));
    let pid = Pid::from_raw(forward.pid().cast_signed()).unwrap();
    forward.stdout_line("header", |line| line.starts_with("PCOMM"));
    let open: Vec<u64> = std::fs::read_dir(format!("/proc/{}/fd", forward.pid()))
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().parse().unwrap())
        .collect();
    let free = (0..).filter(|number| !open.contains(number)).nth(3).unwrap();
    let few = Rlimit { current: Some(free), ..getrlimit(Resource::Nofile) };
    prlimit(Some(pid), Resource::Nofile, few).unwrap();
    get("127.0.0.1", local);
    let said = forward.stderr_line("the reason", |line| line.contains("an error occurred"));
    assert!(said.contains("cannot carry anything; `ulimit -n`"), "{said}");
    assert!(said.contains("Too many open files"), "{said}");
}

/// A namespace without a process has no road but the native one: that is said.
#[test]
fn auto_says_that_it_goes_native_for_want_of_a_process() {
    let (pod, path) = (DemoPod::start(), std::env::temp_dir());
    let path = path.join(format!("pfsnoop-netns-{}", std::process::id()));
    std::os::unix::fs::symlink(format!("/proc/{}/ns/net", pod.pause), &path).unwrap();
    let target = format!("netns/{}", path.display());
    let mut forward = Running::start(&mut pfsnoop(&["forward", &target, ":8080"]));
    let local = local_port(&forward.stdout_line("listener", |l| l.contains("127.0.0.1:")));
    forward.stderr_line("the road", |line| line.contains("connecting natively"));
    assert!(get("127.0.0.1", local).contains("pfsnoop demo pod"));
    std::fs::remove_file(path).unwrap();
}

/// socat catches the signal, and ends with a code that names it.
#[test]
fn a_helper_that_is_told_to_end_was_killed_also_without_a_watch() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "nsenter", "--no-watch", &target, ":8080"];
    let mut command = pfsnoop(&args);
    let mut forward = Running::start(&mut command);
    let local = local_port(&forward.stdout_line("listener", |l| l.contains("127.0.0.1:")));
    let mut client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    client.write_all(b"GET").unwrap();
    let socat = eventually("socat", || {
        let all = crate::support::leftovers::processes();
        let is_it = |(_, ppid, line): &&(u32, u32, String)| {
            *ppid == forward.pid() && line.starts_with("/usr/bin/socat")
        };
        all.iter().find(is_it).map(|(pid, ..)| *pid)
    });
    // It catches signals once it is connected.
    std::thread::sleep(std::time::Duration::from_millis(300));
    kill_process(Pid::from_raw(socat.cast_signed()).unwrap(), Signal::TERM).unwrap();
    forward.stdout_line("the end", |line| line.starts_with("Closed") && line.ends_with("killed"));
}
