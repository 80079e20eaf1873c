//! Who is served.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use super::endpoint::{PODS, Pods, page, wait_for_servers};
use crate::common::{stdout_of, system};

/// The status that curl gets for a path, without the kubeconfig's authority.
fn status(url: &str, args: &[&str]) -> String {
    let mut curl = system("curl");
    curl.args(["--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}"]);
    stdout_of(curl.args(args).arg(url))
}

#[test]
fn only_the_token_of_the_kubeconfig_opens_the_endpoint() {
    let pods = Pods::start("serve-access");
    let endpoint = pods.serve(&[]);
    wait_for_servers(&endpoint);
    let mode = std::fs::metadata(&endpoint.kubeconfig).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (url, token) = endpoint.url_and_token();
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    for path in
        ["/version", "/api/v1/pods", "/api/v1/namespaces/docker/pods/plain/portforward", "/x"]
    {
        let url = format!("{url}{path}");
        assert_eq!(status(&url, &[]), "401", "{path}");
        assert_eq!(status(&url, &["-H", &bearer(&token[1..])]), "401", "{path}");
        assert_ne!(status(&url, &["-H", &bearer(&token)]), "401", "{path}");
    }
    assert_eq!(status(&format!("{url}/healthz"), &[]), "200");
    let cmdline = std::fs::read(format!("/proc/{}/cmdline", endpoint.running.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&cmdline).contains(&token));
    assert!(!endpoint.running.stdout().iter().any(|line| line.contains(&token)));
    assert!(!endpoint.running.stderr().iter().any(|line| line.contains(&token)));
}

#[test]
fn strangers_do_not_disturb_a_client() {
    let pods = Pods::start("serve-strangers");
    let endpoint = pods.serve(&[]);
    wait_for_servers(&endpoint);
    let (_kubectl, ports) = endpoint.forward("forky", PODS[1], &[8080]);
    let (url, _) = endpoint.url_and_token();
    let address = url.trim_start_matches("https://").to_owned();
    let connect = || TcpStream::connect(&address).unwrap();
    // More than the endpoint keeps, all silent.
    let silent: Vec<_> = (0..300).map(|_| connect()).collect();
    let mut plain = connect();
    plain.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(page(ports[0], ""), b"plain\n");
    drop(silent);
    assert_eq!(page(ports[0], ""), b"plain\n");
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", endpoint.running.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").trim().parse().unwrap();
    // The unstripped debug binary has 40 MiB of pages more than the shipped one.
    assert!(peak < (64 + 40) * 1024, "{peak} kB");
}
