//! nsenter and socat, as a kubelet spawns them.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use crate::common::WaitInTime as _;
use crate::common::system;

/// `nsenter -t PID -n socat - TCP4:localhost:PORT`.
pub fn nsenter_socat(pid: u32, port: u16) -> Command {
    let mut command = system("nsenter");
    command.args(["-t", &pid.to_string(), "-n", "socat", "-", &format!("TCP4:localhost:{port}")]);
    command
}

/// Runs the same to its end, without input. Returns its pid.
pub fn run_nsenter_socat(pid: u32, port: u16) -> u32 {
    let mut command = nsenter_socat(pid, port);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.wait_in_time();
    child.id()
}

/// Starts a command with pipes for its stdin and stdout.
pub fn spawn_piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Sends one HTTP request through a helper and waits until it exits. Returns its pid and the answer.
pub fn request_page(mut helper: Child) -> (u32, String) {
    // stdin stays open until the answer is here: socat waits for half a second after its end.
    let mut stdin = helper.stdin.take().unwrap();
    stdin.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    helper.stdout.take().unwrap().read_to_string(&mut page).unwrap();
    drop(stdin);
    helper.wait_in_time();
    (helper.id(), page)
}
