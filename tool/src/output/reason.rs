//! The text of a reason: why a session ended.

use std::time::Duration;

use super::escape::escaped;
use super::names::{rounded_seconds, signal_name};
use crate::model::{End, Reason};

/// One line. It says what to do next if the user can do something.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::BothEnded => "both sides ended by themselves".to_owned(),
        Reason::ClientEnded => "the client's side ended first".to_owned(),
        Reason::ResetAfterEnd => "the pod reset the connection after the client's side had ended; \
             everything that it had sent before has arrived"
            .to_owned(),
        Reason::NothingListens { address, port } => {
            let at = std::net::SocketAddr::new(*address, *port);
            format!("nothing listens at {at} inside the target")
        }
        Reason::NoAnswer { after_ns } => {
            format!("no answer in {}", rounded_seconds(Duration::from_nanos(*after_ns)))
        }
        Reason::NoRoute => {
            "no route to that address inside the target's network namespace; is its loopback up?"
                .to_owned()
        }
        Reason::NotTried => {
            "socat could not connect: is the target's loopback up, and is localhost \
                             127.0.0.1 in the node's /etc/hosts?"
                .to_owned()
        }
        Reason::Errno(errno) => error_text(*errno),
        Reason::TargetEnded(pid) => format!("process {pid}, the target of nsenter, has ended"),
        Reason::NotEntered { target: Some(pid), exit_code } => {
            format!("nsenter could not enter process {pid} (exit code {exit_code})")
        }
        Reason::NotEntered { target: None, exit_code } => {
            format!("nsenter could not enter the namespace (exit code {exit_code})")
        }
        Reason::Outside { target: Some(pid) } => format!(
            "socat ran outside the network namespace of process {pid}, which the command names"
        ),
        Reason::Outside { target: None } => {
            "socat ran outside the network namespace that the command names".to_owned()
        }
        Reason::NotConnected { exit_code } => {
            format!("the helper ended (exit code {exit_code}) without a connection to that port")
        }
        Reason::NoSocat => {
            "nsenter did not find socat; install the package socat on this node".to_owned()
        }
        Reason::SocatNotRun { exit_code } => {
            format!("nsenter could not run socat (exit code {exit_code})")
        }
        Reason::HelperKilled { signal, is_socat } => {
            let program = if *is_socat { "socat" } else { "nsenter" };
            format!("{} ended {program}", signal_name(*signal))
        }
        Reason::SocatFailed { exit_code } => format!("socat failed (exit code {exit_code})"),
        Reason::ForwarderEnded(End::Killed(signal)) => {
            format!("{} ended the forwarder", signal_name(*signal))
        }
        Reason::ForwarderEnded(End::Exited(code)) => {
            format!("the forwarder ended (exit code {code}) before the connection did")
        }
        Reason::NotPassedOn { exit_code } => format!(
            "socat could not pass data on to the client, which has probably left (exit code \
             {exit_code})"
        ),
        Reason::ResetOnPurpose => "the forwarder reset the connection".to_owned(),
        Reason::Unsent { bytes } => format!(
            "the forwarder closed the connection, and the pod has not taken the last {bytes} bytes"
        ),
        Reason::LoopbackDown => "the target's loopback went down under the connection: its pod is \
             being deleted"
            .to_owned(),
        Reason::ServerEnded(End::Killed(signal)) => {
            format!("{} ended the server's process in the target", signal_name(*signal))
        }
        Reason::ServerEnded(End::Exited(code)) => {
            format!("the server's process in the target ended (exit code {code})")
        }
        Reason::UnreadData => {
            "the forwarder closed the connection before it had read all data from the pod"
                .to_owned()
        }
        Reason::NotSeen => "its end was not seen: records were lost".to_owned(),
        Reason::InWords(words) => escaped(words.as_bytes()),
    }
}

/// The text of strerror(3), without the number that Rust adds.
fn error_text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
