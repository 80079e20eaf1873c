//! Recognizes the commands of a port-forward by their arguments.

use super::{Arg, Args};

/// The command of a forward has at most this many arguments: several times as many as nsenter and
/// socat have options.
const MAX_ARGS: usize = 256;

/// A command line that belongs to a port-forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
/// streaming/streaming.go), or a variant that people type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NsenterSocat {
    /// Process to enter; `None` if the command names the network namespace by a file.
    pub target: Option<u32>,
    /// Port that socat connects to, inside the target.
    pub port: u16,
}

/// The command of a port-forward, if the arguments are one. The program's name alone is not enough:
/// runtimes also run nsenter for other purposes.
#[must_use]
pub fn invocation(args: &Args) -> Option<Invocation> {
    let program = base_name(args.list.iter().next()?.text()?);
    if !matches!(program, b"nsenter" | b"socat") || args.list.is_longer_than(MAX_ARGS) {
        return None;
    }
    let texts: Option<Vec<&[u8]>> = args.list.iter().map(Arg::text).collect();
    let (_, args) = texts.as_deref()?.split_first()?;
    match program {
        b"nsenter" => nsenter(args).map(Invocation::Nsenter),
        _ => socat(args).map(|port| Invocation::Socat { port }),
    }
}

/// nsenter(1)'s options up to the program that it runs, which must be socat.
fn nsenter(mut args: &[&[u8]]) -> Option<NsenterSocat> {
    let (mut target, mut enters_net) = (None, false);
    while let Some((&option, rest)) = args.split_first() {
        args = rest;
        match option {
            b"--" => break,
            b"-t" | b"--target" => target = Some(number(take_first(&mut args)?)?),
            b"-S" | b"--setuid" | b"-G" | b"--setgid" | b"-W" | b"--wdns" => {
                take_first(&mut args)?;
            }
            b"-a" | b"--all" | b"--net" => enters_net = true,
            _ if option.starts_with(b"-n") || option.starts_with(b"--net=") => enters_net = true,
            _ if option.starts_with(b"-") => {
                let attached =
                    option.strip_prefix(b"--target=").or_else(|| option.strip_prefix(b"-t"));
                target = match attached {
                    Some(digits) => Some(number(digits)?),
                    None => target,
                };
            }
            program if base_name(program) == b"socat" && enters_net => {
                return socat(args).map(|port| NsenterSocat { target, port });
            }
            _ => return None,
        }
    }
    let (program, args) = args.split_first()?;
    let is_forward = base_name(program) == b"socat" && enters_net;
    is_forward.then(|| socat(args))?.map(|port| NsenterSocat { target, port })
}

/// socat(1)'s options and two addresses: its own stdin and stdout, and a port of localhost.
fn socat(mut args: &[&[u8]]) -> Option<u16> {
    while let Some((&option, rest)) = args.split_first()
        && option.len() > 1
        && option.starts_with(b"-")
    {
        args = rest;
        if matches!(option, b"-b" | b"-t" | b"-T" | b"-L" | b"-W" | b"-lf" | b"-lp") {
            take_first(&mut args)?;
        }
    }
    let &[first, second] = args else { return None };
    let is_stdio = |address: &[u8]| address == b"-" || address.eq_ignore_ascii_case(b"stdio");
    match (is_stdio(first), is_stdio(second)) {
        (true, false) => localhost_port(second),
        (false, true) => localhost_port(first),
        _ => None,
    }
}

/// The port of `TCP4:localhost:PORT`, or of another way to write that address.
fn localhost_port(address: &[u8]) -> Option<u16> {
    let address = std::str::from_utf8(address).ok()?.to_ascii_lowercase();
    let address = address.split(',').next()?;
    let (keyword, place) = address.split_once(':')?;
    let is_tcp = matches!(keyword.trim_end_matches("-connect"), "tcp" | "tcp4" | "tcp6");
    let (host, port) = place.rsplit_once(':')?;
    let is_localhost =
        matches!(host, "localhost" | "[::1]" | "ip6-localhost") || host.starts_with("127.");
    (is_tcp && is_localhost).then(|| port.parse().ok())?
}

fn take_first<'a>(args: &mut &[&'a [u8]]) -> Option<&'a [u8]> {
    let (first, rest) = args.split_first()?;
    *args = rest;
    Some(first)
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
        let list = line.split(' ').map(|arg| Arg::Text(arg.as_bytes())).collect();
        invocation(&Args { list, ..Args::default() })
    }

    #[test]
    fn recognizes_both_execs_of_a_forward() {
        assert_eq!(
            of("/usr/bin/nsenter -t 4947 -n /usr/bin/socat - TCP4:localhost:8080"),
            Some(Invocation::Nsenter(NsenterSocat { target: Some(4947), port: 8080 }))
        );
        assert_eq!(
            of("/usr/bin/socat - TCP4:localhost:8080"),
            Some(Invocation::Socat { port: 8080 })
        );
    }

    #[test]
    fn recognizes_what_people_type() {
        let pid = Some(Invocation::Nsenter(NsenterSocat { target: Some(7), port: 80 }));
        for line in [
            "nsenter --target 7 --net socat - TCP:localhost:80",
            "nsenter --target=7 -n -- socat STDIO tcp4-connect:127.0.0.1:80,retry=3",
            "nsenter -t7 -F -n socat -d -d -b 262144 -t 10 - TCP6:[::1]:80",
            "nsenter -S 0 -G 0 -a -t 7 socat TCP4:localhost:80 -",
        ] {
            assert_eq!(of(line), pid, "{line}");
        }
        for line in [
            "nsenter --net=/run/netns/x socat - TCP4:localhost:80",
            "nsenter -n/run/netns/x socat - TCP4:localhost:80",
        ] {
            let file = NsenterSocat { target: None, port: 80 };
            assert_eq!(of(line), Some(Invocation::Nsenter(file)), "{line}");
        }
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
            "nsenter -t 1 -m socat - TCP4:localhost:80",
            "nsenter -t 1 -n socat - UDP4:localhost:80",
            "nsenter -t 1 -n socat - -",
            "nsenter -t 1 -n sh socat - TCP4:localhost:80",
            "nsenter -t",
            "socat - TCP4:127.example.com",
            "cat - TCP4:localhost:80",
            "",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
