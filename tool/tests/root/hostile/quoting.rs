//! A false runtime whose container has an id that a shell would run.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};

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

/// What the doctor says should start this container.
fn start_command(dir: &TempDir, name: &str, id: &'static str) -> String {
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
    fix(&examine(&mut command).0, "target.running").to_owned()
}

#[test]
fn the_id_of_a_container_is_one_word_in_a_shell() {
    let dir = TempDir::new("hostile-id");
    for (name, id) in [
        ("command", "abc; touch $MARK #"),
        ("substitution", "$(touch $MARK)"),
        ("quote", "a'; touch $MARK; '"),
        ("line", "abc\ntouch $MARK"),
    ] {
        let fix = start_command(&dir, name, id);
        let mut shell = system("sh");
        // A docker that prints its arguments.
        shell.args(["-c", &format!("docker() {{ printf '%s\\n' \"$#\" \"$2\"; }}\n{fix}")]);
        let said = stdout_of(shell.env("MARK", dir.join("mark")));
        assert_eq!(said, format!("2\n{id}\n"), "{fix}");
        assert!(!dir.join("mark").exists(), "{fix}");
    }
    assert_eq!(start_command(&dir, "option", "--attach"), "docker start -- --attach");
}
