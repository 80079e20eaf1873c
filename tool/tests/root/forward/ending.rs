//! How `pfsnoop forward` ends, and what it does when it cannot accept.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::Signal;

use crate::forward::basics::{forward, get};
use crate::support::leftovers::{assert_no_process_with, children_of};
use crate::support::pod::DemoPod;
use crate::support::running::Running;
use crate::support::{eventually, pfsnoop, stdout_of, system};

#[test]
fn what_is_almost_done_is_let_finish_and_the_rest_is_ended() {
    let pod = DemoPod::start();
    for signal in [Signal::INT, Signal::TERM] {
        let mut server = system("nsenter");
        server.args(["-t", &pod.pause.to_string(), "-n", "socat"]);
        server.args(["TCP4-LISTEN:7030,fork,reuseaddr", "SYSTEM:read go; sleep 0.3; echo late"]);
        let _server = Running::start(&mut server);
        let (mut forward, locals) = forward(pod.pause, &[":7030", ":8080"]);
        let mut idle = TcpStream::connect(("127.0.0.1", locals[1])).unwrap();
        let mut late = eventually("the server", || {
            let mut late = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
            late.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
            let refused = !matches!(late.read(&mut [0]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
            (!refused).then_some(late)
        });
        late.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
        late.write_all(b"go\n").unwrap();
        // Else socat stays for half a second more.
        late.shutdown(std::net::Shutdown::Write).unwrap();
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
        eventually("all of its output", || {
            forward.stdout().iter().any(|line| line.starts_with("PORTS")).then_some(())
        });
        ended(locals[0], "s, ok");
        ended(locals[1], "s, killed");
    }
}

#[test]
fn a_second_signal_does_not_wait() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward(pod.pause, &[":8080"]);
    let _idle = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    eventually("its helper", || (children_of(forward.pid()).len() == 1).then_some(()));
    forward.signal(Signal::INT);
    // Two signals at the same moment, in two threads, are both the first.
    eventually("the first is taken", || {
        TcpStream::connect(("127.0.0.1", locals[0])).is_err().then_some(())
    });
    forward.signal(Signal::TERM);
    assert!(forward.wait().success());
    let (stdout, _) = forward.rest();
    assert!(!stdout.iter().any(|line| line.starts_with("Closed")), "it did wait: {stdout:#?}");
    assert_no_process_with(&format!("-t {} -n /usr/bin/socat -", pod.pause));
}

#[test]
fn a_table_sums_up() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "native", &target, ":8080", ":9"];
    let start = || {
        let mut forward = Running::start(&mut pfsnoop(&args));
        forward.stdout_line("header", |line| line.starts_with("PCOMM"));
        let lines = forward.stdout();
        let v4 = lines.iter().filter_map(|line| line.strip_prefix("Forwarding from 127.0.0.1:"));
        let locals = v4.map(|rest| rest.split(' ').next().unwrap().parse::<u16>().unwrap());
        let locals: Vec<u16> = locals.collect();
        (forward, locals)
    };
    let (mut with_some, locals) = start();
    let page = get("127.0.0.1", locals[0]).len();
    // The page names the client's port: all of these have five digits.
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

    let (with_none, _) = start();
    let (_, stdout, _) = with_none.interrupt();
    assert!(!stdout.iter().any(|line| line.starts_with("PORTS")), "nothing to sum up: {stdout:#?}");
}

#[test]
fn too_many_open_files_are_told_once_and_waited_for() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "native", "--verbose", "--address", "127.0.0.1"];
    let mut forward = Running::start(pfsnoop(&args).args([&target, ":8080"]));
    let line = forward.stdout_line("listener", |line| line.starts_with("Forwarding from"));
    let local: u16 = line.split([':', ' ']).nth(3).unwrap().parse().unwrap();
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
    let limit = format!("--nofile={first_free}:{first_free}");
    stdout_of(system("prlimit").args(["--pid", &pid, &limit]));

    let mut waiting = TcpStream::connect(("127.0.0.1", local)).unwrap();
    waiting.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let failures = |forward: &Running, mark: &str| {
        let lines = forward.stderr();
        lines.iter().filter(|line| line.contains(mark)).count()
    };
    eventually("several attempts", || (failures(&forward, "cannot accept on ") >= 5).then_some(()));
    let told = failures(&forward, "pfsnoop: cannot accept a connection on ");
    assert_eq!(told, 1, "{:#?}", forward.stderr());
    assert_eq!(forward.stdout().iter().filter(|line| line.starts_with("Handling")).count(), 1);

    drop(open);
    let mut page = String::new();
    waiting.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    waiting.read_to_string(&mut page).unwrap();
    assert!(page.contains("pfsnoop demo pod"), "it was waited for");
}
