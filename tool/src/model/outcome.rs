//! How a forwarded connection ended, in one word.

use super::End;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Both sides ended by themselves.
    Ok,
    /// Nothing listens at that port.
    Refused,
    /// The target did not answer in time.
    Timeout,
    /// The target's network namespace has no route to that address.
    Unreachable,
    /// The target's process has ended.
    TargetGone,
    /// nsenter or socat is missing.
    HelperMissing,
    /// A signal ended the helper or the forwarder, or the forward was stopped.
    Killed,
    /// One side reset the established connection.
    Reset,
    /// Anything else.
    Failed,
}

impl Outcome {
    /// Every outcome. The store numbers them in this order, so that a new one goes to the end.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Refused,
        Self::Timeout,
        Self::Unreachable,
        Self::TargetGone,
        Self::HelperMissing,
        Self::Killed,
        Self::Reset,
        Self::Failed,
    ];

    /// The name in records and rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::TargetGone => "target-gone",
            Self::HelperMissing => "helper-missing",
            Self::Killed => "killed",
            Self::Reset => "reset",
            Self::Failed => "failed",
        }
    }

    /// Whether it means that no connection to the target was established.
    #[must_use]
    pub fn is_without_connection(self) -> bool {
        match self {
            Self::Refused
            | Self::Timeout
            | Self::Unreachable
            | Self::TargetGone
            | Self::HelperMissing => true,
            Self::Ok | Self::Killed | Self::Reset | Self::Failed => false,
        }
    }

    /// The outcome of a connection by nsenter and socat, from the helper's end and its stderr. The
    /// text of stderr decides only this outcome.
    #[must_use]
    pub fn of_helper(end: End, stderr: &str) -> Self {
        match end {
            End::Exited(0) => Self::Ok,
            End::Killed(_) => Self::Killed,
            // util-linux's EX_EXEC_ENOENT (include/exitcodes.h): nsenter did not find socat.
            End::Exited(127) => Self::HelperMissing,
            End::Exited(code) if signal_caught_by_socat(code).is_some() => Self::Killed,
            End::Exited(_) => stderr.lines().find_map(outcome_of_line).unwrap_or(Self::Failed),
        }
    }

    /// The outcome of a connect(2) that failed.
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

/// The signal behind an exit code of socat: socat catches some signals and exits with 128 plus the
/// signal's number (`socat_signal`, socat.c).
#[must_use]
pub fn signal_caught_by_socat(exit_code: u8) -> Option<u8> {
    const CAUGHT: u8 = 128;
    let signals = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];
    let signal = exit_code.checked_sub(CAUGHT)?;
    signals.contains(&i32::from(signal)).then_some(signal)
}

/// The outcome that a line of stderr stands for, written in the C locale by nsenter
/// (`cannot open /proc/PID/ns/net: ...`) or socat
/// (`TIME socat[PID] E connect(FD, AF=2 ADDRESS, 16): ...`; since 1.8, a warning of that kind for each
/// address, and then `TIME socat[PID] E TCP4:localhost:PORT: ...`).
fn outcome_of_line(line: &str) -> Option<Outcome> {
    let (what, errno) = line.rsplit_once(": ")?;
    if what.starts_with("nsenter: cannot open /proc/") && what.ends_with("/ns/net") {
        return (errno == "No such file or directory").then_some(Outcome::TargetGone);
    }
    let is_error = [" E connect(", " E TCP4:"].iter().any(|error| what.contains(error));
    if !(what.contains(" socat[") && is_error) {
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
    fn a_helpers_end_and_stderr_decide_the_outcome() {
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
            (
                End::Exited(1),
                "2026/11/26 17:00:11 socat[4602] W connect(5, AF=2 127.0.0.1:80, 16): Network is \
                 unreachable\n2026/11/26 17:00:11 socat[4602] E TCP4:localhost:80: Network is \
                 unreachable",
                Outcome::Unreachable,
            ),
            (End::Killed(9), &socat("Connection refused"), Outcome::Killed),
        ] {
            assert_eq!(Outcome::of_helper(end, stderr), outcome, "{end:?} {stderr}");
        }
    }

    #[test]
    fn the_error_of_connect_decides_the_outcome() {
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
