//! `pfsnoop watch` on a terminal: what is open below, with running counts, and what is over above.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::forward::native::inside;
use crate::support::pod::DemoPod;
use crate::support::{eventually, output, running::Running, stdout_of, system};
use crate::watch::nsenter::netns_of;

/// On a terminal of that many columns and 24 lines; what it draws comes as it is.
fn live(columns: u16, port: u16, no_color: &str) -> Running {
    let pfsnoop = env!("CARGO_BIN_EXE_pfsnoop");
    let command =
        format!("stty cols {columns} rows 24; echo $$ $(tty); exec {pfsnoop} watch --port {port}");
    let mut script = system("script");
    script.args(["-qfec", &command, "/dev/null"]).env("NO_COLOR", no_color);
    let mut running = Running::start(&mut script);
    running.stdout_line("header", |line| line.contains("TIME     STATE"));
    running
}

/// Its pid and its terminal.
fn place(live: &mut Running) -> (Pid, String) {
    let line = live.stdout_line("its place", |line| line.contains("/dev/"));
    let (pid, tty) = line.trim().split_once(' ').unwrap();
    (Pid::from_raw(pid.parse().unwrap()).unwrap(), tty.to_owned())
}

/// Answers each connection to that port, once it listens.
fn serve(pod: &DemoPod, port: u16, answer: &str) -> Running {
    let listen = format!("TCP4-LISTEN:{port},fork,backlog=64");
    let server = Running::start(&mut inside(pod, &["socat", &listen, answer]));
    let listens = format!("ss -Htln sport = :{port} | grep -q .");
    eventually("the server", || {
        output(&mut inside(pod, &["sh", "-c", &listens])).status.success().then_some(())
    });
    server
}

fn socat(pod: &DemoPod, port: u16) -> Child {
    let mut helper = inside(pod, &["socat", "-", &format!("TCP4:localhost:{port}")]);
    helper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn open_sessions_count_while_they_run_and_scroll_away_when_they_end() {
    let pod = DemoPod::start();
    // Other tests have other ports.
    let _server = serve(&pod, 7055, "SYSTEM:head -n 1 > /dev/null; echo bye");
    let mut live = live(80, 7055, "");
    let mut helper = socat(&pod, 7055);
    let stdin = helper.stdin.as_mut().unwrap();
    let target = format!("net:[{}", netns_of(pod.pause));
    let is_open = |line: &str, sent: &str| {
        line.contains(" open ") && line.contains(&target) && line.contains(&format!(" {sent} "))
    };
    live.stdout_line("it is open", |line| is_open(line, "    0     0"));
    stdin.write_all(b"question").unwrap();
    live.stdout_line("what it carried", |line| is_open(line, "    8     0"));
    live.stdout_line("the sums", |line| line.trim_end() == "1 open");
    // The demo's own page is at another port.
    let mut other = socat(&pod, 8080);
    std::thread::sleep(Duration::from_millis(600));
    assert!(!live.stdout().iter().any(|line| line.contains(" 8080 ")), "filtered by port");
    other.kill().unwrap();
    other.wait().unwrap();
    stdin.write_all(b"\n").unwrap();
    helper.wait().unwrap();
    live.stdout_line("its end", |line| {
        line.contains("\x1b[32mok  ") && line.contains(&target) && line.contains("    9     4 ")
    });
    live.stdout_line("the sums", |line| line.trim_end() == "0 open, 1 ok");
}

#[test]
fn a_narrow_terminal_without_colours() {
    let pod = DemoPod::start();
    let mut live = live(40, 7056, "1");
    socat(&pod, 7056).wait().unwrap();
    live.stdout_line("why", |line| {
        line.trim_end() == "         nothing listens at 127.0.0.1:7056 in there"
    });
    let lines = live.stdout();
    let row = lines.iter().find(|line| line.contains(" refused ")).expect("a row");
    let text = row.rsplit("\x1b[J").next().unwrap().trim_end();
    assert_eq!(text.chars().count(), 40, "cut to the terminal: {text:?}");
    let has_colour = |line: &String| line.contains("\x1b[31m") || line.contains("\x1b[32m");
    assert!(!lines.iter().any(has_colour), "no colours: {lines:?}");
}

/// A row that scrolls takes the place of the open ones, which are drawn anew below it.
#[test]
fn many_open_sessions_leave_room_for_what_is_over() {
    let pod = DemoPod::start();
    let _server = serve(&pod, 7057, "SYSTEM:read end");
    let mut live = live(80, 7057, "1");
    let (pid, tty) = place(&mut live);
    let mut open: Vec<_> = (0..20).map(|_| socat(&pod, 7057)).collect();
    let more = |line: &str| line.contains(" more that are open");
    live.stdout_line("what there is no room for", more);
    let lines = live.stdout();
    let end = lines.iter().position(|line| more(line)).unwrap();
    let is_row = |line: &&String| line.contains(" net:[");
    assert_eq!(lines[..end].iter().rev().take_while(is_row).count(), 16, "{lines:#?}");
    let mut last = open.pop().unwrap();
    last.kill().unwrap();
    last.wait().unwrap();
    let row = live.stdout_line("its end", |line| line.contains(" killed "));
    assert!(row.starts_with("\x1b[") && row.contains("A\r\x1b[J"), "in their place: {row:?}");

    // Half as wide and lower, from the next drawing on.
    stdout_of(system("stty").args(["-F", &tty, "cols", "40", "rows", "12"]));
    live.stdout_line("a narrow row", |line| {
        is_row(&&line.to_owned()) && line.trim_end().ends_with('…')
    });
    let mut last = open.pop().unwrap();
    last.kill().unwrap();
    last.wait().unwrap();
    live.stdout_line("a narrow end", |line| {
        let text = line.rsplit("\x1b[J").next().unwrap_or_default().trim_end();
        text.contains(" killed ") && text.chars().count() == 40
    });
    kill_process(pid, Signal::INT).unwrap();
    for helper in &mut open {
        helper.kill().unwrap();
        helper.wait().unwrap();
    }
    let (_, stdout, _) = live.end();
    let table = stdout.iter().position(|line| line.starts_with("TARGET ")).expect("a table");
    let is_sums = |line: &String| line.trim_end().ends_with(" open") || line.contains(" open, ");
    let sums = stdout[..table].iter().rposition(is_sums).expect("a last line");
    let is_taken_back = stdout[sums..table].iter().any(|line| line.contains("A\r\x1b[J"));
    assert!(is_taken_back, "the open ones were taken back before it: {stdout:#?}");
    assert!(stdout.iter().any(|line| line.contains(" still open")), "{stdout:#?}");
}
