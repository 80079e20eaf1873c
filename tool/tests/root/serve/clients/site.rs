//! What the pods serve, and local programs that ask for it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::super::endpoint::{Pods, page};
use crate::common::{TEST_TIMEOUT, stdout_of, system, text};
use crate::support::containerd::Containerd;

/// The page with the name of the pod; `/big`; `/cgi-bin/md5`, which takes an upload; and `/cgi-bin/hold`,
/// which answers a word and stays.
pub const SITE: u16 = 8080;

/// Another page.
pub const SECOND: u16 = 8081;

/// Nobody listens.
pub const NOBODY: u16 = 8082;

/// 100 MiB.
pub const BIG: usize = 100 << 20;

/// The pods, with their servers.
pub fn pods(name: &str) -> Pods {
    Pods::start_with(name, site)
}

/// The shell command of a pod's container. The image has few applets.
fn site(name: &str) -> String {
    let script = |file: &str, commands: &str| {
        let head = r"printf 'Content-Type: text/plain\r\n\r\n'";
        format!(
            "printf '%s\\n' '#!/bin/sh' \"{head}\" '{commands}' > /www/cgi-bin/{file}; \
             busybox chmod 755 /www/cgi-bin/{file};"
        )
    };
    let md5 = script("md5", "busybox md5sum");
    let hold = script("hold", "echo here; exec sleep 1000");
    format!(
        "mkdir /www /www/cgi-bin /second; {md5} {hold} echo {name} > /www/index.html; \
         echo second > /second/index.html; httpd -p {SECOND} -h /second; \
         exec httpd -f -p {SITE} -h /www"
    )
}

/// Bytes that do not repeat with any power of two.
pub fn big() -> Vec<u8> {
    let block: Vec<u8> = (0..251).collect();
    let mut bytes = block.repeat(BIG / block.len() + 1);
    bytes.truncate(BIG);
    bytes
}

/// Adds `/big` to what the pods serve. Returns its bytes, and what `md5sum` prints for them.
pub fn add_big(pods: &Pods) -> (Vec<u8>, String) {
    let bytes = big();
    let files =
        [pods.plain, Containerd::pid_in(&pods.web)].map(|pid| format!("/proc/{pid}/root/www/big"));
    for file in &files {
        std::fs::write(file, &bytes).unwrap();
    }
    let sum = stdout_of(system("sh").args(["-c", "md5sum < \"$1\"", "sh", &files[0]]));
    (bytes, sum)
}

/// What a server answers to an upload of these bytes.
pub fn upload(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TEST_TIMEOUT)).unwrap();
    let head = format!("POST /cgi-bin/md5 HTTP/1.0\r\nContent-Length: {}\r\n\r\n", bytes.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes)).expect("the upload");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = text(&answer);
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or(answer)
}

/// A connection to a server that has answered a word and stays.
pub fn hold(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    stream.write_all(b"GET /cgi-bin/hold HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"here\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the answer");
        answer.extend(byte);
    }
    stream
}

/// Whether a connection ends, and does not time out. A reset is an end, too.
pub fn ends(mut stream: TcpStream) -> bool {
    use std::io::ErrorKind;
    match stream.read(&mut [0]) {
        Ok(length) => length == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// Many clients that come at the same time.
pub fn pages_at_once(port: u16, count: usize) -> Vec<Vec<u8>> {
    let clients: Vec<_> = (0..count).map(|_| std::thread::spawn(move || page(port, ""))).collect();
    clients.into_iter().map(|client| client.join().unwrap()).collect()
}
