//! What each command may still do once it runs, in each of its threads.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::temp::{TempDir, temp_path};
use crate::common::{assert_fails, eventually, pfsnoop, system};
use crate::support::capabilities::{
    ENTERING, PROCESSES, SYS_ADMIN, SYS_RESOURCE, TRACING, assert_keeps,
};
use crate::support::exec::run;
use crate::support::forward::{forward, get};
use crate::support::helper::run_nsenter_socat;
use crate::support::nobody::pfsnoop_as_nobody;
use crate::support::pod::DemoPod;
use crate::support::processes::{child_of, pipe_sizes, processes};
use crate::support::records::{closed, wait_for_record};

/// A command that has started: its stdout has something.
fn started(args: &[&str]) -> Running {
    let running = Running::start(&mut pfsnoop(args));
    let has_begun = || (!running.stdout().is_empty()).then_some(());
    eventually("its first line", has_begun);
    running
}

#[test]
fn what_only_watches_keeps_what_watching_needs() {
    let plain = TRACING;
    let with_names = TRACING | PROCESSES;
    for (args, kept) in [
        (&["exec"][..], plain),
        (&["-n", "true", "-x", "--exit", "-U"], plain),
        (&["exec", "-o", "wide"], with_names),
        (&["exec", "-o", "json"], with_names),
        (&["exec", "--pod", "shop/kuard"], with_names),
        (&["watch"], with_names),
        (&["watch", "-o", "json"], with_names),
    ] {
        let running = started(args);
        let mut threads = ["pfsnoop", "reader", "stdout"].map(|thread| (thread, kept)).to_vec();
        if kept == with_names {
            threads.push(("runtimes", kept));
        }
        assert_keeps(&args.join(" "), running.pid(), &threads);
    }
}

/// Failed execs of a cgroup that is made again: the kernel programs are attached again, and tracefs may
/// have to be mounted.
#[test]
fn what_attaches_again_keeps_what_attaching_needs() {
    let root = std::fs::read_to_string("/proc/mounts").unwrap();
    let root = root.lines().find(|line| line.contains(" cgroup2 ")).unwrap();
    let root = root.split(' ').nth(1).unwrap();
    let of_failed = TRACING | SYS_ADMIN | SYS_RESOURCE;
    for (args, kept) in [(&["-c", root][..], TRACING), (&["-c", root, "-x"], of_failed)] {
        let running = started(args);
        let threads = ["pfsnoop", "reader", "stdout"].map(|thread| (thread, kept));
        assert_keeps(&args.join(" "), running.pid(), &threads);
    }
}

#[test]
fn a_forward_enters_namespaces_with_one_thread() {
    let pod = DemoPod::start();
    let ordinary = TRACING | PROCESSES;
    for (args, ordinary, threads) in [
        (&["--dialer", "nsenter"][..], ordinary, &["reader", "stdout"][..]),
        (&["--dialer", "native"], ordinary, &["reader", "stdout"]),
        (&["--dialer", "native", "--no-watch"], PROCESSES, &["stdout"]),
    ] {
        // A port that only root may bind.
        let target = pod.target();
        let all = [&["forward", &target, "999:8080"], args].concat();
        let running = started(&all);
        assert!(get("127.0.0.1", 999).contains("pfsnoop demo pod"), "{args:?}");
        let mut expected = vec![("entering", ENTERING), ("netns", 0)];
        expected.extend(["pfsnoop", "forward"].iter().chain(threads).map(|it| (*it, ordinary)));
        assert_keeps(&all.join(" "), running.pid(), &expected);
    }
}

#[test]
fn a_helper_keeps_what_entering_needs_and_dies_with_the_forward() {
    let pod = DemoPod::start();
    let (forward, locals) = forward(pod.pause, &["--dialer", "nsenter", ":8080"]);
    let _client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let socat = eventually("socat", || child_of(forward.pid(), "/usr/bin/socat"));
    assert_keeps("socat", socat, &[("socat", ENTERING)]);
    forward.signal(Signal::KILL);
    eventually("its end", || (!processes().iter().any(|&(pid, ..)| pid == socat)).then_some(()));
}

#[test]
fn the_demo_and_its_pod_keep_what_they_need() {
    let pod = DemoPod::start();
    let ordinary = TRACING | PROCESSES;
    let mut expected = vec![("entering", ENTERING), ("netns", 0)];
    expected.extend(["pfsnoop", "forward", "reader", "stdout"].map(|thread| (thread, ordinary)));
    assert_keeps("demo", pod.pid(), &expected);
    // Both were started through /proc/self/exe.
    assert_keeps("demo-pause", pod.pause, &[("exe", 0)]);
    let web = child_of(pod.pid(), "pfsnoop demo-web").unwrap();
    assert_keeps("demo-web", web, &[("exe", 0)]);
}

/// While a runtime does not answer, `targets` and `doctor` can be looked at.
#[test]
fn what_ends_by_itself_keeps_what_it_needs_from_the_start() {
    let socket = temp_path("silent-runtime");
    let _silent = UnixListener::bind(&socket).unwrap();
    let endpoint = format!("unix://{}", socket.display());
    let doctor = TRACING | ENTERING | SYS_RESOURCE;
    for (command, ordinary, entering) in
        [("targets", PROCESSES, Some(ENTERING)), ("doctor", doctor, None)]
    {
        let running = Running::start(&mut pfsnoop(&[command, "--runtime-endpoint", &endpoint]));
        let mut expected =
            ["pfsnoop", "stdout", "runtimes"].map(|thread| (thread, ordinary)).to_vec();
        expected.extend(entering.map(|kept| ("entering", kept)));
        assert_keeps(command, running.pid(), &expected);
    }
    std::fs::remove_file(socket).unwrap();
}

/// What restricts itself by Landlock, and how many threads did.
fn restricted_threads(args: &[&str]) -> usize {
    let dir = TempDir::new("landlock");
    let log = dir.join("calls");
    let mut strace = system("strace");
    strace.args(["-f", "-qq", "-e", "trace=landlock_restrict_self", "-o"]).arg(&log);
    strace.arg(env!("CARGO_BIN_EXE_pfsnoop")).args(args).args(["--duration", "1"]);
    let (status, _, stderr) = Running::start(&mut strace).end();
    assert!(status.success(), "{stderr:#?}");
    let calls = std::fs::read_to_string(&log).unwrap();
    calls.lines().filter(|line| line.ends_with(" = 0")).count()
}

/// In each command that traces, a thread that can open no file makes the loader of the kernel programs, and
/// ends.
const OF_THE_LOADER: usize = 1;

#[test]
fn only_what_looks_into_no_process_opens_no_file() {
    for args in [&["exec"][..], &["-x", "--exit", "-T", "-U", "-n", "true"]] {
        assert_eq!(restricted_threads(args), 3 + OF_THE_LOADER, "{args:?}");
    }
    for args in [&["exec", "-o", "json"][..], &["watch"]] {
        assert_eq!(restricted_threads(args), OF_THE_LOADER, "{args:?}");
    }
}

/// Options of setpriv(1): only these capabilities.
const TRACER: &str = "--inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon";

#[test]
fn exec_runs_for_nobody_with_two_capabilities() {
    let mut exec = Running::start(&mut pfsnoop_as_nobody(TRACER, &["-n", "true", "--exit"]));
    exec.stdout_line("header", |line| line.contains("PCOMM"));
    run("/bin/true", &["m-nobody"]);
    exec.stdout_line("its row", |line| line.contains("m-nobody"));
    let threads = ["pfsnoop", "reader", "stdout"].map(|thread| (thread, TRACING));
    assert_keeps("exec", exec.pid(), &threads);
    let (status, _, stderr) = exec.interrupt();
    assert!(status.success() && stderr.is_empty(), "{stderr:#?}");
}

#[test]
fn watch_runs_for_nobody_with_two_capabilities() {
    let pod = DemoPod::start();
    let watch = Running::start(&mut pfsnoop_as_nobody(TRACER, &["watch", "-o", "json"]));
    wait_for_record(&watch, "ready", |record| record["type"] == "ready");
    let helper = run_nsenter_socat(pod.pause, 9);
    let end = closed(&watch, |record| record["helper_pid"] == helper);
    assert_eq!(end["outcome"], "refused", "{end}");
    let threads = ["pfsnoop", "reader", "runtimes", "stdout"].map(|thread| (thread, TRACING));
    assert_keeps("watch", watch.pid(), &threads);
}

#[test]
fn nobody_is_told_what_is_missing_and_no_more() {
    let line = assert_fails(&mut pfsnoop_as_nobody("", &["exec"]), 1, &["CAP_BPF and CAP_PERFMON"]);
    assert!(!line.contains("SYS_ADMIN"), "{line}");
    let failed = &mut pfsnoop_as_nobody(TRACER, &["exec", "-x"]);
    assert_fails(failed, 1, &["tracefs", "as root", "let this user read /sys/kernel/tracing"]);
}

/// Root has so many pipes that an unprivileged user would get small ones
/// (/proc/sys/fs/pipe-user-pages-soft, pipe(7)).
#[test]
fn pipes_keep_their_size_beyond_the_limit_of_a_user() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7047, "serve-zeros");
    let soft: usize = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let count = soft * rustix::param::page_size() / (1024 * 1024) + 1;
    let mut pipes = Vec::new();
    for _ in 0..count {
        let pipe = std::io::pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&pipe.1, 1024 * 1024).unwrap();
        pipes.push(pipe);
    }
    let (forward, locals) = forward(pod.pause, &["--dialer", "native", ":7047"]);
    let before = pipe_sizes(forward.pid());
    let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    client.write_all(b"200000000\n").unwrap();
    client.read_exact(&mut vec![0; 100_000_000]).unwrap();
    let now = pipe_sizes(forward.pid());
    let own: Vec<usize> = now.into_iter().filter(|size| !before.contains(size)).collect();
    assert!(own.contains(&(1024 * 1024)), "the stream's: {own:?}, before: {before:?}");
    assert!(own.iter().all(|&size| size >= 16 * 1024), "{own:?}");
}
