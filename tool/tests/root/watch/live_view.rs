//! `pfsnoop watch` on a terminal: open sessions below, with running counts, and closed ones above.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, stdout_of, system};
use crate::support::pod::DemoPod;
use crate::support::processes::signal;

/// A watch on a terminal of that many columns and 24 lines. What it draws is not interpreted.
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

/// The pid and the terminal of the watch.
fn pid_and_tty(live: &mut Running) -> (u32, String) {
    let line = live.stdout_line("pid and terminal", |line| line.contains("/dev/"));
    let (pid, tty) = line.trim().split_once(' ').unwrap();
    (pid.parse().unwrap(), tty.to_owned())
}

/// A server in the pod that runs a socat address for each connection to that port.
fn serve(pod: &DemoPod, port: u16, answer: &str) -> Running {
    pod.serve(port, &["socat", &format!("TCP4-LISTEN:{port},fork,backlog=64"), answer])
}

fn socat(pod: &DemoPod, port: u16) -> Child {
    let mut helper = pod.inside(&["socat", "-", &format!("TCP4:localhost:{port}")]);
    helper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn open_sessions_show_running_counts_and_scroll_away_when_they_close() {
    let pod = DemoPod::start();
    // No other test uses this port.
    let _server = serve(&pod, 7055, "SYSTEM:head -n 1 > /dev/null; echo bye");
    let mut live = live(80, 7055, "");
    let mut helper = socat(&pod, 7055);
    let stdin = helper.stdin.as_mut().unwrap();
    let target = format!("net:[{}", pod.netns());
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
    other.wait_in_time();
    stdin.write_all(b"\n").unwrap();
    helper.wait_in_time();
    live.stdout_line("its end", |line| {
        line.contains("\x1b[32mok  ") && line.contains(&target) && line.contains("    9     4 ")
    });
    live.stdout_line("the sums", |line| line.trim_end() == "0 open, 1 ok");
}

#[test]
fn rows_fit_a_narrow_terminal_and_no_color_is_respected() {
    let pod = DemoPod::start();
    let mut live = live(40, 7056, "1");
    socat(&pod, 7056).wait_in_time();
    live.stdout_line("why", |line| {
        line.trim_end() == "         nothing listens at 127.0.0.1:7056 inside the target"
    });
    let lines = live.stdout();
    let row = lines.iter().find(|line| line.contains(" refused ")).expect("a row");
    let text = row.rsplit("\x1b[J").next().unwrap().trim_end();
    assert_eq!(text.chars().count(), 40, "cut to the terminal: {text:?}");
    let has_colour = |line: &String| line.contains("\x1b[31m") || line.contains("\x1b[32m");
    assert!(!lines.iter().any(has_colour), "no colours: {lines:?}");
}

/// A row that scrolls takes the place of the open sessions, which are drawn again below.
#[test]
fn many_open_sessions_leave_room_for_closed_ones() {
    let pod = DemoPod::start();
    let _server = serve(&pod, 7057, "SYSTEM:read end");
    let mut live = live(80, 7057, "1");
    let (pid, tty) = pid_and_tty(&mut live);
    let mut open: Vec<_> = (0..20).map(|_| socat(&pod, 7057)).collect();
    let more = |line: &str| line.contains(" more that are open");
    live.stdout_line("the count of sessions without room", more);
    let lines = live.stdout();
    let end = lines.iter().position(|line| more(line)).unwrap();
    let is_row = |line: &&String| line.contains(" net:[");
    assert_eq!(lines[..end].iter().rev().take_while(is_row).count(), 16, "{lines:#?}");
    let mut last = open.pop().unwrap();
    last.kill().unwrap();
    last.wait_in_time();
    let row = live.stdout_line("its end", |line| line.contains(" killed "));
    assert!(row.starts_with("\x1b[") && row.contains("A\r\x1b[J"), "in their place: {row:?}");

    // The terminal shrinks. The next drawing fits it.
    stdout_of(system("stty").args(["-F", &tty, "cols", "40", "rows", "12"]));
    live.stdout_line("a narrow row", |line| {
        is_row(&&line.to_owned()) && line.trim_end().ends_with('…')
    });
    let mut last = open.pop().unwrap();
    last.kill().unwrap();
    last.wait_in_time();
    live.stdout_line("a narrow end", |line| {
        let text = line.rsplit("\x1b[J").next().unwrap_or_default().trim_end();
        text.contains(" killed ") && text.chars().count() == 40
    });
    signal(pid, Signal::INT);
    for helper in &mut open {
        helper.kill().unwrap();
        helper.wait_in_time();
    }
    let (_, stdout, _) = live.end();
    let table = stdout.iter().position(|line| line.starts_with("TARGET ")).expect("a table");
    let is_sums = |line: &String| line.trim_end().ends_with(" open") || line.contains(" open, ");
    let sums = stdout[..table].iter().rposition(is_sums).expect("a last line");
    let is_erased = stdout[sums..table].iter().any(|line| line.contains("A\r\x1b[J"));
    assert!(is_erased, "the open sessions were erased before it: {stdout:#?}");
    assert!(stdout.iter().any(|line| line.contains(" still open")), "{stdout:#?}");
}
