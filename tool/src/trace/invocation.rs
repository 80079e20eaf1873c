//! What an argv is: the command that a kubelet spawns for a port-forward, or something else.

use super::{Arg, Args};

/// A command line that belongs to a port-forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// `nsenter -t PID -n socat - TCP4:localhost:PORT`.
    Nsenter(NsenterSocat),
    /// `socat - TCP4:localhost:PORT`: what nsenter becomes.
    Socat {
        /// Port that it connects to, inside the target.
        port: u16,
    },
}

/// The kubelet's command (pkg/kubelet/dockershim/docker_streaming_others.go; cri-dockerd
/// streaming/streaming.go).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NsenterSocat {
    /// Process whose network namespace is entered.
    pub target: u32,
    /// Port that socat connects to there.
    pub port: u16,
}

/// Recognises a port-forward's command by its arguments: names alone are not enough, since
/// runtimes also run nsenter for other ends.
#[must_use]
pub fn invocation(args: &Args) -> Option<Invocation> {
    let texts: Option<Vec<&[u8]>> = args.list.iter().map(Arg::text).collect();
    match texts?.as_slice() {
        [nsenter, b"-t", target, b"-n", socat @ ..] if base_name(nsenter) == b"nsenter" => {
            Some(Invocation::Nsenter(NsenterSocat {
                target: number(target)?,
                port: socat_port(socat)?,
            }))
        }
        socat => socat_port(socat).map(|port| Invocation::Socat { port }),
    }
}

fn socat_port(args: &[&[u8]]) -> Option<u16> {
    let [socat, b"-", address] = args else {
        return None;
    };
    if base_name(socat) != b"socat" {
        return None;
    }
    number(address.strip_prefix(b"TCP4:localhost:")?)
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Invocation> {
        let list = line.split(' ').map(|arg| Arg::Text(arg.as_bytes().into())).collect();
        invocation(&Args { list, ..Args::default() })
    }

    #[test]
    fn knows_both_execs_of_a_forward() {
        assert_eq!(
            of("/usr/bin/nsenter -t 4947 -n /usr/bin/socat - TCP4:localhost:8080"),
            Some(Invocation::Nsenter(NsenterSocat { target: 4947, port: 8080 }))
        );
        assert_eq!(
            of("/usr/bin/socat - TCP4:localhost:8080"),
            Some(Invocation::Socat { port: 8080 })
        );
    }

    #[test]
    fn other_uses_are_not_forwards() {
        for line in [
            "nsenter --net=/var/run/netns/x -F -- ip -o -4 addr show dev eth0 scope global",
            "nsenter -t 1 -n ip addr",
            "socat - TCP4:localhost:99999",
            "socat - TCP4:example.com:80",
            "socat TCP-LISTEN:1 TCP4:localhost:80",
            "nsenter -t x -n socat - TCP4:localhost:80",
            "",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
