//! Calls of CRI, which curl sends: gRPC is HTTP/2.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::message::{Message, first_text};

/// Where the runtime listens.
pub(super) const SOCKET: &str = "/run/bench/containerd.sock";

/// Calls a method of the runtime, and returns the text in the first field of its answer, such as an id.
pub(super) fn call(method: &str, request: &Message) -> Result<String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--http2-prior-knowledge"]);
    curl.args(["--unix-socket", SOCKET, "--header", "Content-Type: application/grpc"]);
    curl.args(["--header", "TE: trailers", "--data-binary", "@-", "--dump-header", "/dev/stderr"]);
    curl.arg(format!("http://localhost/runtime.v1.RuntimeService/{method}"));
    curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = curl.spawn().context("curl")?;
    child.stdin.take().context("no stdin")?.write_all(&request.framed())?;
    let output = child.wait_with_output()?;
    let headers = String::from_utf8_lossy(&output.stderr);
    // The status comes in the trailers.
    ensure!(headers.contains("grpc-status: 0"), "{method}: {}", headers.trim());
    Ok(first_text(&output.stdout).unwrap_or_default())
}

/// The URL at which the runtime's streaming server waits for the streams of a client.
pub(super) fn port_forward(sandbox: &str, port: u16) -> Result<String> {
    call("PortForward", &Message::default().text(1, sandbox).number(2, port))
}
