//! How `pfsnoop forward` ends, and what it does when it cannot accept connections.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::{TEST_TIMEOUT, eventually, pfsnoop, stdout_of, system};
use crate::support::forward::{forward, forward_native, get, is_listening, start_listening};
use crate::support::pod::DemoPod;
use crate::support::processes::{assert_no_process_with, children_of};

#[test]
fn a_signal_lets_short_connections_finish_and_ends_the_others() {
    let pod = DemoPod::start();
    for signal in [Signal::INT, Signal::TERM] {
        let answer = "SYSTEM:read go; sleep 0.3; echo late";
        let _server = pod.serve(7030, &["socat", "TCP4-LISTEN:7030,fork,reuseaddr", answer]);
        let (mut forward, locals) = forward(pod.pause, &[":7030", ":8080"]);
        let mut idle = TcpStream::connect(("127.0.0.1", locals[1])).unwrap();
        let mut late = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        late.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        late.write_all(b"go\n").unwrap();
        // Without this, socat would stay for half a second more.
        late.shutdown(std::net::Shutdown::Write).unwrap();
        // A connection that waits to be accepted would be reset with its listener.
        eventually("both are accepted", || {
            let stdout = forward.stdout();
            let handled = stdout.iter().filter(|line| line.starts_with("Handling connection"));
            (handled.count() == 2).then_some(())
        });
        forward.signal(signal);
        let mut answer = String::new();
        late.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "late\n");
        assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0, "nothing more comes");
        assert!(forward.wait().success());
        assert_no_process_with(&format!("-t {} -n /usr/bin/socat -", pod.pause));
        let ended = |local: u16, how: &str| {
            let start = format!("Closed connection for {local}");
            let is_it = |line: &String| line.starts_with(&start) && line.ends_with(how);
            assert!(forward.stdout().iter().any(is_it), "{how}: {:#?}", forward.stdout());
        };
        eventually("the table at the end", || {
            forward.stdout().iter().any(|line| line.starts_with("PORTS")).then_some(())
        });
        ended(locals[0], "s, ok");
        ended(locals[1], "s, killed");
    }
}

#[test]
fn a_second_signal_does_not_wait() {
    let pod = DemoPod::start();
    // On a busy machine, the wait may be over before the second signal, but hardly five times.
    assert!((0..5).any(|_| is_ended_by_a_second_signal(&pod)), "it waited");
    assert_no_process_with(&format!("-t {} -n /usr/bin/socat -", pod.pause));
}

/// Whether a forward with an open connection ends before it has waited for that connection.
fn is_ended_by_a_second_signal(pod: &DemoPod) -> bool {
    let (mut forward, locals) = forward(pod.pause, &[":8080"]);
    let _idle = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    eventually("its helper", || (children_of(forward.pid()).len() == 1).then_some(()));
    forward.signal(Signal::INT);
    // Two signals at the same moment could both count as the first. A connection would ask for the
    // listener too, but would be one more that is reported as closed.
    eventually("the first is taken", || (!is_listening(locals[0])).then_some(()));
    forward.signal(Signal::TERM);
    assert!(forward.wait().success());
    !forward.all_stdout().iter().any(|line| line.starts_with("Closed"))
}

#[test]
fn a_table_at_the_end_sums_up_each_port() {
    let pod = DemoPod::start();
    let start_forward = || forward_native(&pod, &[":8080", ":9"]);
    let (mut with_some, locals) = start_forward();
    let page = get("127.0.0.1", locals[0]).len();
    // The page names the client's port, which has five digits each time.
    get("::1", locals[0]);
    get("127.0.0.1", locals[1]);
    eventually("all reports", || {
        let closed = |line: &&String| line.starts_with("Closed");
        (with_some.stdout().iter().filter(closed).count() == 3).then_some(())
    });
    with_some.stderr_line("failure", |line| line.contains("refused"));
    let (_, stdout, _) = with_some.interrupt();
    let table: Vec<Vec<&str>> = stdout
        .iter()
        .skip_while(|line| !line.starts_with("PORTS"))
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let [titles, web, refused] = &table[..] else { panic!("{stdout:#?}") };
    let titles_expected =
        ["PORTS", "CONNECTIONS", "FAILED", "BYTES TO POD", "BYTES FROM POD", "MEDIAN", "MAX"];
    assert_eq!(*titles, titles_expected);
    assert_eq!(web[..4], [&format!("{} -> 8080", locals[0]), "2", "0", "36"]);
    let bytes: usize = web[4].parse().unwrap();
    assert!(bytes.abs_diff(2 * page) < 20, "{bytes} bytes, pages of {page}");
    assert!(web[5].ends_with(" s") && web[6].ends_with(" s"), "{web:?}");
    assert_eq!(refused[..5], [&format!("{} -> 9", locals[1]), "1", "1 refused", "0", "0"]);

    let (with_none, _) = start_forward();
    let (_, stdout, _) = with_none.interrupt();
    assert!(!stdout.iter().any(|line| line.starts_with("PORTS")), "nothing to sum up: {stdout:#?}");
}

#[test]
fn without_free_files_it_waits_and_says_so_once() {
    let pod = DemoPod::start();
    let target = pod.target();
    let args = ["forward", "--dialer", "native", "--verbose", "--address", "127.0.0.1"];
    let (mut forward, local) = start_listening(pfsnoop(&args).args([&target, ":8080"]));
    let open = TcpStream::connect(("127.0.0.1", local)).unwrap();
    let pid = forward.pid().to_string();
    let fds = || -> Vec<u32> {
        let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        fds.map(|fd| fd.file_name().to_str().unwrap().parse().unwrap()).collect()
    };
    forward.stdout_line("the connection", |line| line.starts_with("Handling"));
    let first_free = eventually("a steady number of open files", || {
        let count = fds().len();
        std::thread::sleep(std::time::Duration::from_millis(100));
        let now = fds();
        (now.len() == count).then(|| (0..1024).find(|fd| !now.contains(fd)).unwrap())
    });
    let limit = format!("--nofile={first_free}:");
    stdout_of(system("prlimit").args(["--pid", &pid, &limit]));

    let mut waiting = TcpStream::connect(("127.0.0.1", local)).unwrap();
    waiting.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let failures = |forward: &Running, mark: &str| {
        let lines = forward.stderr();
        lines.iter().filter(|line| line.contains(mark)).count()
    };
    eventually("several attempts", || (failures(&forward, "cannot accept on ") >= 5).then_some(()));
    let reported = failures(&forward, "pfsnoop: cannot accept a connection on ");
    assert_eq!(reported, 1, "{:#?}", forward.stderr());
    assert_eq!(forward.stdout().iter().filter(|line| line.starts_with("Handling")).count(), 1);

    // More than one file: a connection needs several at once.
    stdout_of(system("prlimit").args(["--pid", &pid, "--nofile=1024:"]));
    let mut page = String::new();
    waiting.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    waiting.read_to_string(&mut page).unwrap();
    assert!(page.contains("pfsnoop demo pod"), "it was waited for");
    drop(open);
}
