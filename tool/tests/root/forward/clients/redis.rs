//! Redis: `redis-cli` with a pipeline, a subscription and a monitor.

use std::io::Write as _;
use std::process::Stdio;

use rustix::process::Signal;

use super::route::{Route, run};
use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::support::pod::DemoPod;

const PORT: u16 = 7111;

fn serve(pod: &DemoPod, folder: &TempDir) -> Running {
    let (port, folder) = (PORT.to_string(), folder.path().display().to_string());
    let args = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    pod.serve(PORT, &[&["redis-server", "--port", &port, "--dir", &folder], &args[..]].concat())
}

/// `redis-cli` with these arguments.
fn cli(route: &Route, args: &[&str]) -> std::process::Command {
    let mut cli = route.client("redis-cli");
    cli.args(["-h", "127.0.0.1", "-p", &route.port.to_string()]).args(args);
    cli
}

#[test]
fn a_pipeline_gets_all_of_its_replies() {
    const COMMANDS: usize = 50_000;
    let (pod, folder) = (DemoPod::start(), TempDir::new("redis-pipeline"));
    let _server = serve(&pod, &folder);
    let commands: Vec<_> = (0..COMMANDS).map(|n| format!("RPUSH list value-{n}\r\n")).collect();
    let commands = commands.concat();
    for route in Route::all(&pod, PORT) {
        let mut command = cli(&route, &["--pipe"]);
        let mut pipe = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        pipe.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
        let output = pipe.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}: {stdout}", route.name());
        let replies = format!("errors: 0, replies: {COMMANDS}\n");
        assert!(stdout.ends_with(&replies), "{}: {stdout}", route.name());
        route.assert_outcome("ok");
        for end in route.ends() {
            assert!(end["bytes_to_pod"].as_u64().unwrap() > commands.len() as u64, "{end:#}");
        }
        let direct = Route::direct(&pod, PORT);
        assert_eq!(run(&mut cli(&direct, &["LLEN", "list"]), 0), format!("{COMMANDS}\n"));
        run(&mut cli(&direct, &["DEL", "list"]), 0);
    }
}

/// Commands whose replies have no end: a signal ends the client.
#[test]
fn a_subscription_and_a_monitor_go_on_until_the_client_leaves() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("redis-subscribe"));
    let _server = serve(&pod, &folder);
    let direct = Route::direct(&pod, PORT);
    for route in Route::all(&pod, PORT) {
        let mut subscriber = Running::start(&mut cli(&route, &["SUBSCRIBE", "news"]));
        subscriber.stdout_line("the subscription", |line| line == "subscribe");
        for news in ["one", "two", "three"] {
            assert_eq!(run(&mut cli(&direct, &["PUBLISH", "news", news]), 0), "1\n");
            subscriber.stdout_line("the message", |line| line == news);
        }
        leave(subscriber, &route);
        // The server has noticed.
        crate::common::eventually("no subscriber", || {
            (run(&mut cli(&direct, &["PUBLISH", "news", "four"]), 0) == "0\n").then_some(())
        });
    }
    for route in Route::all(&pod, PORT) {
        let mut monitor = Running::start(&mut cli(&route, &["MONITOR"]));
        monitor.stdout_line("the monitor", |line| line == "OK");
        run(&mut cli(&direct, &["SET", "key", "value"]), 0);
        monitor.stdout_line("the command", |line| line.ends_with(r#""SET" "key" "value""#));
        leave(monitor, &route);
    }
}

fn leave(client: Running, route: &Route) {
    use std::os::unix::process::ExitStatusExt as _;
    client.signal(Signal::TERM);
    let (status, ..) = client.end();
    assert_eq!(status.signal(), Some(libc::SIGTERM), "{}", route.name());
    route.assert_outcome("ok");
}
