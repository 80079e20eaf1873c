//! A forwarded connection as a record: the states that it passes through, and how it ended. The
//! same whoever forwards it.

use std::net::IpAddr;

use super::{End, Owner, Reason};

/// A forwarded connection in one of its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the connection for good, in each of its states.
    pub id: String,
    /// When it came into this state: `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// The road that it takes.
    pub via: Via,
    /// Who forwards it.
    pub forwarder: Program,
    /// The nsenter that carries it, which becomes socat, or has it for a child: once it has been
    /// spawned.
    pub helper_pid: Option<u32>,
    /// What the one who made its connection knows that by, `SO_COOKIE`: when they had asked for it.
    pub cookie: Option<u64>,
    /// Where it leads.
    pub target: Destination,
    /// The port there.
    pub port: u16,
    /// Which of the target's addresses answered, when it is known.
    pub address: Option<IpAddr>,
    /// The state.
    pub state: State,
}

/// The road into a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// `nsenter -t PID -n socat - TCP4:localhost:PORT`.
    NsenterSocat,
    /// A socket made inside the network namespace.
    Native,
}

impl Via {
    /// As records and people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NsenterSocat => "nsenter+socat",
            Self::Native => "native",
        }
    }
}

/// A process that forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its pid.
    pub pid: u32,
    /// Its name, at most 15 bytes.
    pub comm: Box<[u8]>,
}

/// Where connections lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// The process whose network namespace is meant, if one is.
    pub pid: Option<u32>,
    /// Inode of the network namespace; `None` when it is not known, as that of a process that has
    /// ended.
    pub netns: Option<u64>,
    /// Whose it is.
    pub owner: Owner,
}

/// How far a connection has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A client is there.
    Started,
    /// The target answered.
    Connected,
    /// It is over.
    Closed(Closed),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// In one word.
    pub outcome: Outcome,
    /// Why, when there is more to say.
    pub reason: Option<Reason>,
    /// How the helper ended, when that says something of the connection.
    pub helper: Option<End>,
    /// What the helper said, as far as it was kept.
    pub stderr: Option<String>,
    /// Payload that arrived in the pod, bytes.
    pub bytes_to_pod: Option<u64>,
    /// Payload that arrived at the client, bytes.
    pub bytes_from_pod: Option<u64>,
    /// From the beginning of the attempt that succeeded to the target's answer, ns.
    pub connect_ns: Option<u64>,
    /// From its start, ns.
    pub duration_ns: Option<u64>,
}

/// How a connection ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Both sides ended by themselves.
    Ok,
    /// Nothing listens at that port.
    Refused,
    /// The target did not answer in time.
    Timeout,
    /// No way leads to that address in there.
    Unreachable,
    /// The target's process has ended.
    TargetGone,
    /// nsenter or socat is not there.
    HelperMissing,
    /// Somebody ended it: the helper, by a signal, or the whole forward.
    Killed,
    /// Anything else.
    Failed,
}

impl Outcome {
    /// Whether it says that there never was a connection in the target.
    #[must_use]
    pub fn is_of_connecting(self) -> bool {
        match self {
            Self::Refused
            | Self::Timeout
            | Self::Unreachable
            | Self::TargetGone
            | Self::HelperMissing => true,
            Self::Ok | Self::Killed | Self::Failed => false,
        }
    }

    /// Of a connection by nsenter and socat: from how the helper ended and what it said. That text
    /// decides nothing but this word.
    #[must_use]
    pub fn of_helper(end: End, stderr: &str) -> Self {
        match end {
            End::Exited(0) => Self::Ok,
            End::Killed(_) => Self::Killed,
            // util-linux's EX_EXEC_ENOENT (include/exitcodes.h): nsenter did not find socat.
            End::Exited(127) => Self::HelperMissing,
            End::Exited(code) if caught_by_socat(code).is_some() => Self::Killed,
            End::Exited(_) => stderr.lines().find_map(reason).unwrap_or(Self::Failed),
        }
    }

    /// Of a connect(2) that failed.
    #[must_use]
    pub fn of_connect(error: std::io::ErrorKind) -> Self {
        use std::io::ErrorKind;
        match error {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::Timeout,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unreachable,
            _ => Self::Failed,
        }
    }
}

/// The signal that made socat end with this exit code: 128 and its number, of those that it catches
/// (`socat_signal`, socat.c).
pub(super) fn caught_by_socat(exit_code: u8) -> Option<u8> {
    const CAUGHT: u8 = 128;
    let signals = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];
    let signal = exit_code.checked_sub(CAUGHT)?;
    signals.contains(&i32::from(signal)).then_some(signal)
}

/// A line that says why, by nsenter (`cannot open /proc/PID/ns/net: ...`) or socat
/// (`TIME socat[PID] E connect(FD, AF=2 ADDRESS, 16): ...`), in the C locale.
fn reason(line: &str) -> Option<Outcome> {
    let (what, errno) = line.rsplit_once(": ")?;
    if what.starts_with("nsenter: cannot open /proc/") && what.ends_with("/ns/net") {
        return (errno == "No such file or directory").then_some(Outcome::TargetGone);
    }
    if !(what.contains(" socat[") && what.contains(" E connect(")) {
        return None;
    }
    match errno {
        "Connection refused" => Some(Outcome::Refused),
        "Connection timed out" => Some(Outcome::Timeout),
        "Network is unreachable" | "No route to host" => Some(Outcome::Unreachable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socat(errno: &str) -> String {
        let pid = "2026/11/22 12:38:59 socat[4602] ";
        format!("{pid}W a warning\n{pid}E connect(5, AF=2 127.0.0.1:5201, 16): {errno}\n")
    }

    #[test]
    fn a_helpers_end_and_words_tell_the_outcome() {
        let gone = "nsenter: cannot open /proc/4947/ns/net: No such file or directory";
        for (end, stderr, outcome) in [
            (End::Exited(0), "whatever it said", Outcome::Ok),
            (End::Exited(1), &*socat("Connection refused"), Outcome::Refused),
            (End::Exited(1), &socat("Connection timed out"), Outcome::Timeout),
            (End::Exited(1), &socat("No route to host"), Outcome::Unreachable),
            (End::Exited(1), &socat("Network is unreachable"), Outcome::Unreachable),
            (End::Exited(1), &socat("Permission denied"), Outcome::Failed),
            (End::Exited(1), gone, Outcome::TargetGone),
            (End::Exited(1), &gone.replace("No such file", "Is a"), Outcome::Failed),
            (End::Exited(127), "nsenter: failed to execute socat", Outcome::HelperMissing),
            (End::Exited(143), "socat[1] W exiting on signal 15", Outcome::Killed),
            (End::Exited(137), "", Outcome::Failed),
            (End::Exited(1), "", Outcome::Failed),
            (End::Exited(1), "Connection refused", Outcome::Failed),
            (End::Killed(9), &socat("Connection refused"), Outcome::Killed),
        ] {
            assert_eq!(Outcome::of_helper(end, stderr), outcome, "{end:?} {stderr}");
        }
    }

    #[test]
    fn a_connects_error_tells_the_outcome() {
        use std::io::Error;
        for (errno, outcome) in [
            (libc::ECONNREFUSED, Outcome::Refused),
            (libc::ETIMEDOUT, Outcome::Timeout),
            (libc::EHOSTUNREACH, Outcome::Unreachable),
            (libc::ENETUNREACH, Outcome::Unreachable),
            (libc::EMFILE, Outcome::Failed),
        ] {
            let kind = Error::from_raw_os_error(errno).kind();
            assert_eq!(Outcome::of_connect(kind), outcome, "{errno}");
        }
    }
}
