//! A false runtime whose container has an id that a shell would run.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};

use serde_json::Value;

use crate::common::temp::TempDir;
use crate::common::{pfsnoop, stdout_of, system};
use crate::support::doctor::{examine, fix};

/// Answers as Docker does, with one container that has exited.
fn answer(mut stream: UnixStream, id: &str) -> Option<()> {
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            request.push(byte[0]);
        }
        let request = String::from_utf8_lossy(&request);
        let path = request.split(' ').nth(1)?;
        let container = serde_json::json!({
            "Id": id, "Names": ["/false"], "Name": "/false", "Labels": {}, "State": "exited",
        });
        let body = if path.contains("/containers/json") {
            serde_json::json!([container])
        } else if path.contains("/containers/") {
            serde_json::json!({ "Id": id, "Name": "/false", "State": { "Status": "exited", "Pid": 0 } })
        } else {
            serde_json::json!({ "Version": "20.10", "ApiVersion": "1.41", "Components": [] })
        };
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .ok()?;
    }
}

/// What the doctor says about this container, which does not run.
fn findings(dir: &TempDir, name: &str, id: &'static str) -> Vec<Value> {
    let socket = dir.join(name);
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream, id));
        }
    });
    let mut command = pfsnoop(&["doctor", "-o", "json", "container/false", "80"]);
    command.args(["--runtime", "docker", "--runtime-endpoint"]);
    command.arg(format!("unix://{}", socket.display()));
    examine(&mut command).0
}

/// Docker's ids are plain words: nothing else is asked for, and nothing else gets into a command.
#[test]
fn the_id_of_a_container_runs_nothing_in_a_shell() {
    let dir = TempDir::new("hostile-id");
    for (name, id) in [
        ("command", "abc; touch $MARK #"),
        ("substitution", "$(touch $MARK)"),
        ("quote", "a'; touch $MARK; '"),
        ("line", "abc\ntouch $MARK"),
    ] {
        let findings = findings(&dir, name, id);
        let fixes: Vec<&str> = findings.iter().filter_map(|one| one["fix"].as_str()).collect();
        assert!(!fixes.is_empty(), "{findings:#?}");
        for fix in fixes {
            let mut shell = system("sh");
            shell.args(["-c", &format!("docker() {{ :; }}\npfsnoop() {{ :; }}\n{fix}")]);
            stdout_of(shell.env("MARK", dir.join("mark")));
            assert!(!dir.join("mark").exists(), "{fix}");
        }
    }
    let option = findings(&dir, "option", "--attach");
    assert_eq!(fix(&option, "target.running"), "docker start -- --attach");
}
