//! A failure in the words of the kubelet and of the runtime behind it, which clients print and people
//! search for.

use std::io::{self, ErrorKind};

use super::failure::Failure;
use super::go_words::as_go_prints;
use super::stream_target::StreamTarget;
use crate::model::{Outcome, Via};
use crate::output::escaped;

/// What the error stream of a port carries after a failure: the kubelet's line
/// (`portForward`, pkg/kubelet/cri/streaming/portforward/httpstream.go). CRI names the pod by the id of its
/// sandbox and has no uid, so that place is empty.
///
/// A client prints it to a terminal as it is, and it may quote a helper.
pub(super) fn error_line(failure: &Failure, to: &StreamTarget, via: Via) -> String {
    let netns = to.target.netns_file().display().to_string();
    let netns = if to.target.is_host_network() { "host" } else { &netns };
    line(to.port, &to.id, &of_runtime(failure, &to.id, netns, via))
}

/// The same for a stream that was turned away, because so many connections are open.
pub(super) fn too_many(max: u32, to: &StreamTarget) -> String {
    let why = format!("{max} connections are open, and no more are allowed");
    line(to.port, &to.id, &why)
}

/// The same for a stream whose target was not found.
pub(super) fn no_target(failure: &Failure, port: u16, id: &str) -> String {
    line(port, id, &failure.in_words())
}

fn line(port: u16, id: &str, why: &str) -> String {
    escaped(format!("error forwarding port {port} to pod {id}, uid : {why}").as_bytes())
}

/// The error of the runtime that forwards in this way: for nsenter and socat cri-dockerd
/// (core/streaming_unix.go, `portForward`; before, dockershim), for a native connection containerd
/// (pkg/cri/server/sandbox_portforward_linux.go).
fn of_runtime(failure: &Failure, id: &str, netns: &str, via: Via) -> String {
    match (failure, via) {
        (Failure::HelperFailed { .. }, _) if failure.outcome() == Outcome::HelperMissing => {
            not_found("socat")
        }
        (Failure::NotSpawned { .. }, _) if failure.outcome() == Outcome::HelperMissing => {
            not_found("nsenter")
        }
        (Failure::TargetGone(_), Via::NsenterSocat) => {
            format!("container not running ({id})")
        }
        (Failure::TargetGone(_), Via::Native) => {
            format!("network namespace for sandbox \"{id}\" is closed")
        }
        (Failure::NotConnected { port, source, .. }, Via::Native) => {
            // containerd also has the error of IPv6. The dialer keeps that of the first address.
            format!(
                "failed to execute portforward in network namespace \"{netns}\": failed to connect to \
                 localhost:{port} inside namespace \"{id}\", IPv4: dial tcp4 127.0.0.1:{port}: {}",
                of_connect(source)
            )
        }
        _ => failure.in_words(),
    }
}

fn not_found(program: &str) -> String {
    format!("unable to do port forwarding: {program} not found")
}

/// How Go prints the error of a connect(2) or of its timeout.
fn of_connect(error: &io::Error) -> String {
    match (error.raw_os_error(), error.kind()) {
        (Some(_), _) => format!("connect: {}", as_go_prints(error)),
        (None, ErrorKind::TimedOut) => format!("i/o timeout ({error})"),
        (None, _) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;
    use crate::host::process::ProcessError;

    fn said(failure: &Failure, via: Via) -> String {
        line(80, "abc", &of_runtime(failure, "abc", "/run/netns/x", via))
    }

    fn helper_failed(code: i32, stderr: &str) -> Failure {
        let status = ExitStatus::from_raw(code << 8);
        Failure::HelperFailed { status, stderr: stderr.to_owned() }
    }

    #[test]
    fn a_failure_has_the_words_of_cri_dockerd_or_containerd() {
        let refused = || io::Error::from_raw_os_error(libc::ECONNREFUSED);
        let not_connected = |source| Failure::NotConnected { port: 80, first: None, source };
        let gone = || Failure::TargetGone(ProcessError::Gone(7).into());
        let not_spawned = || Failure::NotSpawned {
            program: "/usr/bin/nsenter".to_owned(),
            source: ErrorKind::NotFound.into(),
        };
        let late = io::Error::new(ErrorKind::TimedOut, "no answer in 5 s");
        for (failure, via, why) in [
            (
                helper_failed(127, "nsenter: failed to execute socat: No such file\n"),
                Via::NsenterSocat,
                "unable to do port forwarding: socat not found",
            ),
            (not_spawned(), Via::NsenterSocat, "unable to do port forwarding: nsenter not found"),
            (
                helper_failed(1, "socat[7] E connect(5, AF=2 127.0.0.1:80, 16): \x1b refused\n"),
                Via::NsenterSocat,
                "exit status 1: socat[7] E connect(5, AF=2 127.0.0.1:80, 16): \\x1b refused",
            ),
            (gone(), Via::NsenterSocat, "container not running (abc)"),
            (gone(), Via::Native, "network namespace for sandbox \"abc\" is closed"),
            (
                not_connected(refused()),
                Via::Native,
                "failed to execute portforward in network namespace \"/run/netns/x\": failed to connect \
                 to localhost:80 inside namespace \"abc\", IPv4: dial tcp4 127.0.0.1:80: connect: \
                 connection refused",
            ),
            (
                not_connected(late),
                Via::Native,
                "failed to execute portforward in network namespace \"/run/netns/x\": failed to connect \
                 to localhost:80 inside namespace \"abc\", IPv4: dial tcp4 127.0.0.1:80: i/o timeout (no \
                 answer in 5 s)",
            ),
        ] {
            assert_eq!(
                said(&failure, via),
                format!("error forwarding port 80 to pod abc, uid : {why}")
            );
        }
    }
}
