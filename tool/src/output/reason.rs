//! Why a session ended as it did, in plain words.

use super::escape::escaped;
use super::text::signal_name;
use crate::trace::{End, Reason};

/// One line, with what to do about it where there is something to do.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::BothEnded => "both sides ended by themselves".to_owned(),
        Reason::NothingListens { address, port } => {
            let at = std::net::SocketAddr::new(*address, *port);
            format!("nothing listens at {at} in there")
        }
        Reason::NoAnswer { after_ns } => {
            format!(
                "no answer in {:.3} s",
                std::time::Duration::from_nanos(*after_ns).as_secs_f64()
            )
        }
        Reason::NoWay => "no way leads to that address in there; is its loopback up?".to_owned(),
        Reason::NotTried => "socat could not begin to connect: is the loopback in there up, and \
                             localhost in the node's /etc/hosts 127.0.0.1?"
            .to_owned(),
        Reason::Errno(errno) => words_of(*errno),
        Reason::TargetEnded(pid) => format!("process {pid}, which was to be entered, has ended"),
        Reason::NotEntered { target: Some(pid), exit_code } => {
            format!("nsenter could not enter process {pid} (exit code {exit_code})")
        }
        Reason::NotEntered { target: None, exit_code } => {
            format!("nsenter could not enter the namespace (exit code {exit_code})")
        }
        Reason::NoSocat => {
            "nsenter found no socat; install the package socat on this node".to_owned()
        }
        Reason::SocatNotRun { exit_code } => {
            format!("nsenter did not run socat (exit code {exit_code})")
        }
        Reason::HelperKilled { signal, is_socat } => {
            let program = if *is_socat { "socat" } else { "nsenter" };
            format!("{program} was ended by {}", signal_name(*signal))
        }
        Reason::SocatFailed { exit_code } => format!("socat broke off (exit code {exit_code})"),
        Reason::ForwarderEnded(End::Killed(signal)) => {
            format!("the forwarder was ended by {}", signal_name(*signal))
        }
        Reason::ForwarderEnded(End::Exited(code)) => {
            format!("the forwarder ended (exit code {code}) before the connection did")
        }
        Reason::BrokenOff => "the forwarder broke off, with data from the pod not read".to_owned(),
        Reason::NotSeen => "how it ended was not seen: records were lost".to_owned(),
        Reason::InWords(words) => escaped(words.as_bytes()),
    }
}

/// As `strerror` has it, without the number that Rust adds.
fn words_of(errno: i32) -> String {
    let words = std::io::Error::from_raw_os_error(errno).to_string();
    words.split(" (os error").next().unwrap_or(&words).to_owned()
}
