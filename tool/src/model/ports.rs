//! The grammar of ports, as in kubectl (client-go tools/portforward/portforward.go, `parsePorts`).

use std::fmt;
use std::str::FromStr;

/// A local port and the port in the target that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortPair {
    /// Where pfsnoop listens; 0 lets the kernel choose.
    pub local: u16,
    /// Where the target listens.
    pub remote: u16,
}

impl FromStr for PortPair {
    type Err = String;

    /// `REMOTE`, `LOCAL:REMOTE`, `:REMOTE` or `0:REMOTE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (local, remote) = text.split_once(':').unwrap_or((text, text));
        if remote.contains(':') {
            // kubectl reads 1:2:3 as 1:1, and forwards to a port that the user did not name.
            return Err(format!("invalid port format '{text}': give LOCAL:REMOTE or REMOTE"));
        }
        let local = if local.is_empty() { 0 } else { port("local", local)? };
        match port("remote", remote)? {
            0 => Err("remote port must be > 0".to_owned()),
            remote => Ok(Self { local, remote }),
        }
    }
}

fn port(side: &str, text: &str) -> Result<u16, String> {
    // Rust's parser accepts a sign. A port has none.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text);
    let port = digits.and_then(|digits| digits.parse().ok());
    port.ok_or_else(|| format!("error parsing {side} port '{text}': must be a number up to 65535"))
}

impl fmt::Display for PortPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.local, self.remote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_kubectl_accepts() {
        for (text, local, remote) in [
            ("8080", 8080, 8080),
            ("8080:80", 8080, 80),
            (":80", 0, 80),
            ("0:80", 0, 80),
            ("65535:1", 65535, 1),
        ] {
            assert_eq!(text.parse(), Ok(PortPair { local, remote }), "{text}");
        }
    }

    #[test]
    fn errors_are_worded_as_in_kubectl() {
        for (text, error) in [
            ("0", "remote port must be > 0"),
            ("80:0", "remote port must be > 0"),
            ("99999", "error parsing local port '99999'"),
            ("80:99999", "error parsing remote port '99999'"),
            ("abc", "error parsing local port 'abc'"),
            ("+80", "error parsing local port '+80'"),
            ("80:", "error parsing remote port ''"),
            ("", "error parsing remote port ''"),
            ("1:2:3", "invalid port format '1:2:3'"),
        ] {
            let said = text.parse::<PortPair>().unwrap_err();
            assert!(said.starts_with(error), "{text}: {said}");
        }
    }
}
