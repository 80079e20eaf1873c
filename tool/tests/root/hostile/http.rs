//! A Docker that answers without end, slowly, or with nonsense.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{assert_fails, pfsnoop, stdout_of, system};
use crate::support::http_runtime::{Answer, HttpRuntime, begin, send, send_part};
use crate::support::memory::Memory;
use crate::support::records::parse;

/// A pfsnoop that only asks a runtime has far less than this. KiB.
const MAX_MEMORY: u64 = 160 * 1024;

/// Runs a command to its end. Returns its exit code, its stdout and stderr, its peak memory in KiB and
/// how long it took.
fn run(
    runtime: &HttpRuntime,
    args: &[&str],
) -> (Option<i32>, Vec<String>, Vec<String>, u64, Duration) {
    let start = Instant::now();
    let mut running = Running::start(&mut runtime.pfsnoop(args));
    let mut peak = 0;
    while !running.has_exited() {
        if let Some(memory) = Memory::of_running(running.pid()) {
            peak = peak.max(memory.peak);
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{:#?}", running.stderr());
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = start.elapsed();
    let (status, stdout, stderr) = running.end();
    (status.code(), stdout, stderr, peak, took)
}

/// The list of a Docker that is asked for anything else than its list ends in an error with these
/// words.
fn refuses(
    name: &str,
    answer: impl Fn(&mut UnixStream) -> Answer + Send + Sync + 'static,
    words: &str,
) {
    let runtime = HttpRuntime::docker(name, move |_, stream| answer(stream));
    let (code, stdout, stderr, peak, took) = run(&runtime, &["targets"]);
    assert_eq!((code, stdout.len()), (Some(1), 0), "{name}: {stdout:#?} {stderr:#?}");
    let line = stderr.concat();
    assert!(stderr.len() == 1 && line.contains(words), "{name}: {stderr:#?}");
    assert!(peak < MAX_MEMORY, "{name}: {peak} KiB");
    assert!(took < Duration::from_secs(15), "{name}: {took:?}");
}

#[test]
fn an_answer_without_end_is_refused() {
    let part = vec![b'x'; 64 * 1024];
    let endless = move |stream: &mut UnixStream| {
        begin(stream)?;
        send_part(stream, b"[{\"Id\": \"")?;
        loop {
            send_part(stream, &part)?;
        }
    };
    refuses("endless", endless, "is larger than 16 MiB");
}

#[test]
fn an_answer_that_drips_has_a_time_limit() {
    let drip = |stream: &mut UnixStream| {
        begin(stream)?;
        loop {
            send_part(stream, b" ")?;
            std::thread::sleep(Duration::from_millis(500));
        }
    };
    refuses("drip", drip, "no answer in 10 s");
}

#[test]
fn heads_and_interim_answers_without_end_are_refused() {
    let headers = |stream: &mut UnixStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            stream.write_all(b"x: 0123456789012345678901234567890123456789\r\n")?;
        }
    };
    refuses("headers", headers, "cannot be read");
    let interim = |stream: &mut UnixStream| loop {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    };
    refuses("interim", interim, "no answer in 10 s");
}

#[test]
fn an_answer_that_is_no_list_is_refused() {
    let deep = "[".repeat(8 * 1024 * 1024);
    refuses("deep", move |stream| send(stream, "200 OK", deep.as_bytes()), "cannot be read");
    let zipped = |stream: &mut UnixStream| {
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
        )
    };
    refuses("zipped", zipped, "its encoding is");
    refuses("garbage", |stream| stream.write_all(&[0xff; 100]), "cannot be read");
    refuses("nothing", |stream| stream.shutdown(std::net::Shutdown::Both), "cannot be read");
    let short = |stream: &mut UnixStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]")?;
        stream.shutdown(std::net::Shutdown::Both)
    };
    refuses("short", short, "cannot be read");
    let words = br#"{"message": "\u001b[31mno\nsecond line"}"#;
    let error = |stream: &mut UnixStream| send(stream, "500 Internal Server Error", words);
    refuses("error", error, r"500 Internal Server Error: \x1b[31mno\nsecond line");
}

#[test]
fn one_strange_container_does_not_hide_the_others() {
    let list = json!([
        {"Id": "a".repeat(64), "Names": ["/web"], "State": "exited", "Labels": {}},
        {"Id": "b".repeat(64), "Names": "not a list", "State": "hibernating"},
        {"Id": 7},
        null,
        {"Id": "c".repeat(64), "Names": ["/\u{1b}[31m\u{202e}x"], "State": {"x": [1]}},
    ]);
    let mut list = list.to_string().into_bytes();
    // A name that is no text.
    let at = list.windows(3).position(|part| part == b"web").unwrap();
    list[at] = 0xff;
    let runtime = HttpRuntime::docker("strange", move |_, stream| send(stream, "200 OK", &list));
    let (code, stdout, stderr, ..) = run(&runtime, &["targets", "-o", "json"]);
    let all = parse(&stdout);
    let states: Vec<_> = all.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!((code, states.len()), (Some(0), 3), "{stdout:#?} {stderr:#?}");
    assert!(states.contains(&"hibernating"), "{states:?}");
    assert!(all.iter().any(|one| one["name"] == "\u{fffd}eb"), "{all:#?}");
    let left_out = stderr.iter().filter(|line| line.contains("2 entries of docker's list"));
    assert_eq!(left_out.count(), 1, "{stderr:#?}");
    let (_, table, ..) = run(&runtime, &["targets"]);
    let table = table.join("\n");
    assert!(table.contains(r"\x1b[31m\u{202e}x") && !table.contains('\u{1b}'), "{table}");
}

#[test]
fn a_hundred_thousand_containers_and_a_million_labels_fit_into_memory() {
    let one =
        |number: usize| format!(r#"{{"Id":"{number:064x}","Names":["/n"],"State":"exited"}}"#);
    let list = format!("[{}]", (0..100_000).map(one).collect::<Vec<_>>().join(","));
    let runtime =
        HttpRuntime::docker("many", move |_, stream| send(stream, "200 OK", list.as_bytes()));
    let (code, stdout, stderr, peak, took) = run(&runtime, &["targets"]);
    assert_eq!((code, stdout.len()), (Some(0), 20_001), "{stderr:#?}");
    assert!(stderr.concat().contains("80000 entries of docker's list are left out"), "{stderr:#?}");
    assert!(peak < MAX_MEMORY && took < Duration::from_secs(20), "{peak} KiB, {took:?}");

    let labels: Vec<_> = (0..1_000_000).map(|number| format!(r#""{number}":"x""#)).collect();
    let list = format!(r#"[{{"Id":"a","State":"exited","Labels":{{{}}}}}]"#, labels.join(","));
    let runtime =
        HttpRuntime::docker("labels", move |_, stream| send(stream, "200 OK", list.as_bytes()));
    let (code, stdout, stderr, peak, _) = run(&runtime, &["targets"]);
    assert_eq!((code, stdout.len()), (Some(0), 2), "{stderr:#?}");
    assert!(peak < MAX_MEMORY, "{peak} KiB");
}

#[test]
fn a_name_of_megabytes_is_cut() {
    for letter in [&b"n"[..], b"\xff", "\u{202e}".as_bytes()] {
        let name = letter.repeat(15_000_000 / letter.len());
        let list =
            [&br#"[{"Id": "a", "State": "exited", "Names": [""#[..], &name, b"\"]}]"].concat();
        let runtime = HttpRuntime::docker("long", move |_, stream| send(stream, "200 OK", &list));
        let (code, stdout, stderr, peak, took) = run(&runtime, &["targets"]);
        assert_eq!((code, stdout.len()), (Some(0), 2), "{stderr:#?}");
        assert!(stdout[1].len() < 20_000, "{} bytes", stdout[1].len());
        assert!(peak < MAX_MEMORY && took < Duration::from_secs(10), "{peak} KiB, {took:?}");
    }
}

/// The last of the places would be known after forty seconds.
#[test]
fn many_slow_answers_have_a_time_limit_together() {
    let one = |number: usize| json!({"Id": format!("{number:064x}"), "State": "running"});
    let list = json!((0..100).map(one).collect::<Vec<_>>()).to_string();
    let runtime = HttpRuntime::docker("places", move |path, stream| {
        if path.ends_with("/containers/json") {
            return send(stream, "200 OK", list.as_bytes());
        }
        std::thread::sleep(Duration::from_millis(400));
        send(stream, "200 OK", br#"{"State": {"Running": false}}"#)
    });
    let (code, stdout, stderr, _, took) = run(&runtime, &["targets"]);
    assert_eq!((code, stdout.len()), (Some(0), 101), "{stderr:#?}");
    assert!(stderr.concat().contains("that run were not looked up"), "{stderr:#?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_signal_ends_each_command_while_it_waits() {
    let drip = |_: &str, stream: &mut UnixStream| {
        begin(stream)?;
        loop {
            send_part(stream, b" ")?;
            std::thread::sleep(Duration::from_millis(500));
        }
    };
    let runtime = HttpRuntime::docker("signal", drip);
    for args in [
        &["targets"][..],
        &["doctor"],
        &["doctor", "kuard"],
        &["forward", "kuard", ":80"],
        &["watch", "--pod", "kuard"],
        &["exec", "--pod", "kuard"],
    ] {
        let running = Running::start(&mut runtime.pfsnoop(args));
        std::thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        running.signal(Signal::TERM);
        let (_, _, stderr) = running.end();
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{args:?}: {:?} {stderr:#?}",
            start.elapsed()
        );
    }
}

#[test]
fn a_path_that_is_no_socket_is_refused() {
    let dir = TempDir::new("no-socket");
    std::fs::write(dir.join("file"), "x").unwrap();
    stdout_of(system("mkfifo").arg(dir.join("pipe")));
    for kind in ["docker", "podman", "cri"] {
        for file in ["file", "pipe", "."] {
            let path = dir.join(file).display().to_string();
            let args = ["targets", "--runtime", kind, "--runtime-endpoint", &path];
            assert_fails(&mut pfsnoop(&args), 1, &["the file is not a socket"]);
        }
    }
}

#[test]
fn podmans_answers_have_the_same_limits() {
    let part = vec![b' '; 64 * 1024];
    let runtime = HttpRuntime::serve("podman", move |path, stream| match path {
        "/_ping" => stream.write_all(
            b"HTTP/1.1 200 OK\r\nLibpod-API-Version: 4.3.1\r\nContent-Length: 2\r\n\r\nOK",
        ),
        path if path.ends_with("/pods/json") => {
            send(stream, "200 OK", br#"[{"Id": "a", "Name": 7}, {"Name": "x"}, "x"]"#)
        }
        _ => {
            begin(stream)?;
            loop {
                send_part(stream, &part)?;
            }
        }
    });
    let (code, _, stderr, peak, _) = run(&runtime, &["targets"]);
    assert_eq!(code, Some(1), "{stderr:#?}");
    assert!(stderr.concat().contains("is larger than 16 MiB") && peak < MAX_MEMORY, "{stderr:#?}");
}
