//! The addresses of `localhost` in hosts(5). socat reads the node's file, even though it runs in
//! the network namespace of the pod.

use std::io::{BufRead, BufReader, Read as _};
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::host::root::Root;

/// At most this many bytes of the file are read. Lists of blocked names have several MiB.
pub const MAX_READ: u64 = 32 * 1024 * 1024;

/// At most this many bytes of a line are looked at.
const MAX_LINE: usize = 64 * 1024;

/// At most this many addresses are kept.
const MAX_ADDRESSES: usize = 64;

/// The addresses of `localhost` in `/etc/hosts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosts {
    /// The addresses, in the order of the file.
    pub addresses: Vec<IpAddr>,
    /// The file is too large, and was not read to its end: an address that was not found may be
    /// there.
    pub is_cut: bool,
}

/// The addresses of `localhost` in `/etc/hosts` below `root`. None if the file cannot be read.
#[must_use]
pub fn localhost(root: &Root) -> Hosts {
    let file = root.open(Path::new("/etc/hosts"));
    file.map_or_else(|_| Hosts::default(), |file| in_hosts(BufReader::new(file), MAX_READ))
}

/// The addresses of `localhost` in the first `max` bytes of such a file.
pub fn in_hosts(file: impl BufRead, max: u64) -> Hosts {
    let (mut hosts, mut line) = (Hosts::default(), Vec::new());
    let mut file = file.take(max);
    while (&mut file).take(MAX_LINE as u64).read_until(b'\n', &mut line).is_ok_and(|read| read > 0)
    {
        let is_whole = line.len() < MAX_LINE || line.ends_with(b"\n");
        hosts.addresses.extend(in_line(&String::from_utf8_lossy(&line)));
        hosts.is_cut |= !is_whole || hosts.addresses.len() >= MAX_ADDRESSES;
        if hosts.is_cut {
            return hosts;
        }
        line.clear();
    }
    hosts.is_cut = file.limit() == 0;
    hosts
}

fn in_line(line: &str) -> Option<IpAddr> {
    let mut words = line.split('#').next()?.split_whitespace();
    let address = words.next()?.parse().ok()?;
    words.any(|name| name.eq_ignore_ascii_case("localhost")).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Hosts {
        in_hosts(text.as_bytes(), 1000)
    }

    #[test]
    fn reads_hosts_as_the_c_library_does() {
        let text = "127.0.0.1\tlocalhost box # localhost\n#127.0.0.2 localhost\n\
                    ::1 ip6-localhost LocalHost\n10.0.0.1 localhost.example\n";
        let addresses: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(read(text), Hosts { addresses, is_cut: false });
        assert_eq!(read(""), Hosts::default());
        assert_eq!(read("127.0.0.1 localhost").addresses.len(), 1, "no newline at the end");
    }

    #[test]
    fn what_is_not_read_may_hold_more() {
        let long = "# filler\n".repeat(1000);
        assert_eq!(read(&long), Hosts { addresses: Vec::new(), is_cut: true });
        let first = format!("127.0.0.1 localhost\n{long}");
        assert_eq!((read(&first).addresses.len(), read(&first).is_cut), (1, true));
        let wide = format!("127.0.0.1 {}", "x".repeat(2 * MAX_LINE));
        assert!(in_hosts(wide.as_bytes(), MAX_READ).is_cut);
        let many = "127.0.0.1 localhost\n".repeat(2 * MAX_ADDRESSES);
        assert_eq!(in_hosts(many.as_bytes(), MAX_READ).addresses.len(), MAX_ADDRESSES);
    }
}
