//! A false Docker: a small HTTP server on a unix socket of its own, which answers whatever a test wants.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::common::pfsnoop;
use crate::common::temp::TempDir;

/// The server. It answers for as long as the test runs.
pub struct HttpRuntime {
    dir: TempDir,
}

/// What the connection is used for from now on.
pub type Answer = std::io::Result<()>;

impl HttpRuntime {
    /// Answers a ping and the question for the version as Docker does. `answer` gets the path of each
    /// other request.
    pub fn docker(
        name: &str,
        answer: impl Fn(&str, &mut UnixStream) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let with_docker = move |path: &str, stream: &mut UnixStream| match path {
            path if path.ends_with("/_ping") => stream
                .write_all(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"),
            path if path.ends_with("/version") => {
                let version =
                    br#"{"Version": "20.10", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}"#;
                send(stream, "200 OK", version)
            }
            path => answer(path, stream),
        };
        Self::serve(name, with_docker)
    }

    /// `answer` gets the path of each request.
    pub fn serve(
        name: &str,
        answer: impl Fn(&str, &mut UnixStream) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let dir = TempDir::new(&format!("hostile-{name}"));
        let listener = UnixListener::bind(dir.join("docker.sock")).unwrap();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                // The client may go away at any time.
                std::thread::spawn(move || drop(answer_all(stream, &*answer)));
            }
        });
        Self { dir }
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join("docker.sock")
    }

    /// `pfsnoop`, which asks only this runtime.
    pub fn pfsnoop(&self, args: &[&str]) -> Command {
        let mut command = pfsnoop(args);
        asks_only(&mut command, &self.socket());
        command
    }
}

/// Has `pfsnoop` ask only the Docker at this socket.
pub fn asks_only(command: &mut Command, socket: &Path) {
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    command.env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock");
}

/// An answer as it should be.
pub fn send(stream: &mut UnixStream, status: &str, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// The head of an answer whose body has no length.
pub fn begin(stream: &mut UnixStream) -> Answer {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    )
}

/// A part of such a body.
pub fn send_part(stream: &mut UnixStream, part: &[u8]) -> Answer {
    stream.write_all(format!("{:x}\r\n", part.len()).as_bytes())?;
    stream.write_all(part)?;
    stream.write_all(b"\r\n")
}

fn answer_all(mut stream: UnixStream, answer: &dyn Fn(&str, &mut UnixStream) -> Answer) -> Answer {
    let mut request = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        request.extend(&bytes[..count]);
        if request.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            answer(path.split('?').next().unwrap_or_default(), &mut stream)?;
            request.clear();
        }
    }
}
