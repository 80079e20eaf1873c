//! Forwards by each kubectl, through each dialer, to each runtime.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use super::endpoint::{Endpoint, PODS, Pods, page, wait_for_servers};
use crate::common::eventually;
use crate::support::parts::KUBECTLS;
use crate::support::records::records;

/// More than all buffers on the way hold.
const BIG: usize = 24 * 1024 * 1024;

/// Bytes that do not repeat with any power of two.
fn big() -> Vec<u8> {
    (0..BIG).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn for_each(pods: &Pods, check: impl Fn(&Endpoint, &str, (&str, &str))) {
    for dialer in ["nsenter", "native"] {
        let endpoint = pods.serve(&["--dialer", dialer]);
        wait_for_servers(&endpoint);
        for release in KUBECTLS {
            for pod in PODS {
                eprintln!("kubectl of {release}, {dialer}, {pod:?}");
                check(&endpoint, release, pod);
            }
        }
        let kubeconfig = endpoint.kubeconfig.clone();
        let (status, _, _) = endpoint.running.interrupt();
        assert!(status.success());
        assert!(!kubeconfig.exists(), "it is removed at the end");
    }
}

#[test]
fn requests_downloads_and_many_connections_at_once() {
    let pods = Pods::start("serve-forwards");
    std::fs::write(format!("/proc/{}/root/www/big", pods.plain), big()).unwrap();
    for_each(&pods, |endpoint, release, pod| {
        let (_kubectl, ports) = endpoint.forward(release, pod, &[8080, 8081]);
        let name = format!("{}\n", pod.1);
        assert_eq!(page(ports[0], ""), name.as_bytes());
        let at_once: Vec<_> = (0..20)
            .map(|_| {
                let port = ports[0];
                std::thread::spawn(move || page(port, ""))
            })
            .collect();
        for one in at_once {
            assert_eq!(one.join().unwrap(), name.as_bytes(), "{release} {pod:?}");
        }
        if pod.0 == "docker" {
            assert!(page(ports[0], "big") == big(), "{release}: the download");
        }
        // A client that leaves early does not disturb the next one. (Through kubectl 1.20 it does. Whose
        // fault that is, is not known yet.)
        if pod.0 == "docker" && release != "bookworm" {
            let mut early = TcpStream::connect(("127.0.0.1", ports[0])).unwrap();
            early.write_all(b"GET /big HTTP/1.0\r\n\r\n").unwrap();
            early.read_exact(&mut [0; 1000]).unwrap();
            drop(early);
            assert_eq!(page(ports[0], ""), name.as_bytes(), "after an aborted download");
        }
        // The client's end reaches the server, whose answer still comes.
        let mut half = TcpStream::connect(("127.0.0.1", ports[0])).unwrap();
        half.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        half.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        half.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with(&name), "{release} {pod:?}: {answer}");
    });
}

#[test]
fn a_refused_port_is_reported_in_the_kubelets_words() {
    let pods = Pods::start("serve-refused");
    for_each(&pods, |endpoint, release, pod| {
        let (mut kubectl, ports) = endpoint.forward(release, pod, &[8081]);
        assert_eq!(page(ports[0], ""), b"");
        let line =
            kubectl.stderr_line("the error", |line| line.contains("error forwarding port 8081"));
        assert!(line.contains("refused"), "{release} {pod:?}: {line}");
    });
}

#[test]
fn with_keep_a_refused_port_does_not_end_the_session() {
    let pods = Pods::start("serve-keep");
    let endpoint = pods.serve(&["--on-failure", "keep", "-o", "json"]);
    wait_for_servers(&endpoint);
    for release in KUBECTLS {
        let (_kubectl, ports) = endpoint.forward(release, PODS[1], &[8081, 8080]);
        for _ in 0..2 {
            assert_eq!(page(ports[0], ""), b"", "{release}");
            assert_eq!(page(ports[1], ""), b"plain\n", "{release}");
        }
    }
    let closed = |outcome: &str| {
        let all = records(&endpoint.running);
        let is_it = |record: &&serde_json::Value| record["outcome"] == outcome;
        all.iter().filter(is_it).cloned().collect::<Vec<_>>()
    };
    let count = 2 * KUBECTLS.len();
    let refused = eventually("the refused sessions", || {
        let refused = closed("refused");
        (refused.len() == count && closed("ok").len() == count).then_some(refused)
    });
    for record in &refused {
        assert_eq!(
            (&record["port"], &record["target"]["container"]["name"]),
            (&8081.into(), &"plain".into())
        );
        assert!(
            record["client"]["user_agent"].as_str().unwrap().starts_with("kubectl/v1."),
            "{record}"
        );
    }
    let transports: Vec<_> =
        refused.iter().map(|record| record["client"]["transport"].as_str().unwrap()).collect();
    assert_eq!(transports[0], "spdy", "kubectl up to 1.30");
    assert_eq!(transports[count - 1], "spdy+websocket", "kubectl since 1.31");
}
