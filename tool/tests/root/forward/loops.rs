//! Forwards into the node's own network that would lead back to themselves.

use std::net::{TcpListener, TcpStream};

use crate::common::{assert_fails, pfsnoop};
use crate::support::docker::Docker;
use crate::support::forward::{get, start_listening};

/// A forward of these arguments into the network of this test must fail with one line.
fn assert_refused(target: &str, args: &[&str], ports: &str, at: &str) {
    let args = [&["forward", "--no-watch", target], args].concat();
    let line =
        format!("cannot forward {ports}: {at} inside the target is this forward's own listener");
    assert_fails(&mut pfsnoop(&args), 1, &[&line, "choose another local port, or :"]);
}

#[test]
fn a_forward_that_leads_back_to_itself_is_refused_at_the_start() {
    let target = format!("pid/{}", std::process::id());
    for dialer in ["native", "nsenter"] {
        let with = |args: &[&'static str]| [&["--dialer", dialer], args].concat();
        assert_refused(&target, &with(&["46101"]), "46101 -> 46101", "127.0.0.1:46101");
        // Only one of several ports leads back.
        let several = with(&[":9", "46102", "--address", "127.0.0.1,127.0.0.2"]);
        assert_refused(&target, &several, "46102 -> 46102", "127.0.0.1:46102");
        let everywhere = with(&["46103", "--address", "0.0.0.0"]);
        assert_refused(&target, &everywhere, "46103 -> 46103", "0.0.0.0:46103");
        let crossed = with(&["46104:46105", "46105:46104"]);
        assert_refused(&target, &crossed, "46104 -> 46105", "127.0.0.1:46105");
        let into_circle = with(&["46106:46107", "46107:46107"]);
        assert_refused(&target, &into_circle, "46106 -> 46107", "127.0.0.1:46107");
        let by_file = with(&["46108"]);
        assert_refused("netns//proc/self/ns/net", &by_file, "46108 -> 46108", "127.0.0.1:46108");
    }
    // The native dialer tries ::1 when nothing listens on 127.0.0.1.
    let by_six = ["--dialer", "native", "46109", "--address", "::1"];
    assert_refused(&target, &by_six, "46109 -> 46109", "[::1]:46109");
}

#[test]
fn a_container_in_the_nodes_network_is_the_same() {
    let docker = Docker::start("loops");
    docker.run_with("on-node", "host", &[], "exec sleep 1000");
    let mut command = pfsnoop(&["forward", "container/on-node", "46110", "--no-watch"]);
    let refused = ["127.0.0.1:46110 inside the target is this forward's own listener"];
    assert_fails(command.env("DOCKER_HOST", docker.host()), 1, &refused);
}

/// These reach another server of the node, so they are no loop.
#[test]
fn a_forward_that_ends_elsewhere_in_the_nodes_network_works() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in server.incoming() {
            use std::io::Write as _;
            let _ = client.unwrap().write_all(b"the server\n");
        }
    });
    let target = format!("pid/{}", std::process::id());
    let same_port = [format!("{remote}:{remote}"), "--address=127.0.0.2".to_owned()];
    let chain = [format!("46111:{remote}"), "46112:46111".to_owned()];
    for dialer in ["native", "nsenter"] {
        for (args, address, port) in
            [(&same_port, "127.0.0.2", remote), (&chain, "127.0.0.1", 46112)]
        {
            let args = args.iter().map(String::as_str);
            let args: Vec<&str> = ["forward", "--no-watch", "--dialer", dialer, &target]
                .into_iter()
                .chain(args)
                .collect();
            let mut forward = crate::common::running::Running::start(&mut pfsnoop(&args));
            let listener = format!("Forwarding from {address}:{port} ");
            forward.stdout_line("the listener", |line| line.starts_with(&listener));
            let mut answer = String::new();
            let mut client = TcpStream::connect((address, port)).unwrap();
            std::io::Read::read_to_string(&mut client, &mut answer).unwrap();
            assert_eq!(answer, "the server\n", "{dialer} {args:?}");
            forward.signal(rustix::process::Signal::INT);
            assert!(forward.wait().success());
        }
    }
    // Elsewhere, the same port is another socket.
    let pod = crate::support::pod::DemoPod::start();
    let (_forward, local) = start_listening(&mut pfsnoop(&["forward", &pod.target(), ":8080"]));
    assert!(get("127.0.0.1", local).contains("pfsnoop demo pod"));
}
