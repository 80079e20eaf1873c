//! The client's side, or the forwarder, ends the connection.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use rustix::process::Signal;

use super::case::{Case, assert_end, ways};
use crate::support::processes::{child_of, signal};

#[test]
fn both_sides_end() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-echo", 7070);
        case.client.write_all(b"hello").unwrap();
        case.read(5);
        case.client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(case.client.read(&mut [0; 9]).unwrap(), 0);
        let end = case.end();
        assert_end(&end, "ok", "both sides ended by themselves");
        assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [5, 5]);
    }
}

#[test]
fn the_client_leaves_while_the_pod_is_sending() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-trickle", 7073);
        case.read(2048);
        case.reset();
        assert_end(&case.end(), "reset", "");
    }
}

/// A server that does not read, and does not end.
#[test]
fn the_client_ends_and_socat_gives_up() {
    for way in ways().split_off(1) {
        let case = Case::start(&way, "serve-deaf", 7081);
        case.client.shutdown(Shutdown::Write).unwrap();
        assert_end(&case.end(), "ok", "the client's side ended first");
    }
}

/// Ctrl-C in the middle of a download: no client mistakes incomplete data for a complete reply.
#[test]
fn the_forward_is_stopped_in_the_middle_of_a_transfer() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-trickle", 7083);
        case.read(2048);
        case.forward.signal(Signal::TERM);
        let end = case.client.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset), "{way:?}");
        let end = case.end();
        assert_eq!(end["outcome"], "killed", "{end:#}");
    }
}

#[test]
fn the_helper_is_killed() {
    for way in ways().split_off(1) {
        let mut case = Case::start(&way, "serve-echo", 7086);
        case.client.write_all(b"hello").unwrap();
        case.read(5);
        signal(child_of(case.forward.pid(), "").unwrap(), Signal::KILL);
        let end = case.client.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset), "{way:?}");
        assert_end(&case.end(), "killed", "SIGKILL");
    }
}
