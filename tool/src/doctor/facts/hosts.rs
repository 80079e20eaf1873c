//! The addresses of `localhost` in hosts(5). socat reads the node's file, even though it runs in
//! the network namespace of the pod.

use std::net::IpAddr;
use std::path::Path;

use crate::host::root::Root;

/// The addresses of `localhost` in `/etc/hosts` below `root`, in the order of the file.
#[must_use]
pub fn localhost(root: &Root) -> Vec<IpAddr> {
    root.read(Path::new("/etc/hosts")).map_or_else(Vec::new, |text| in_hosts(&text))
}

fn in_hosts(text: &str) -> Vec<IpAddr> {
    let line = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case("localhost")).then_some(address)
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_as_the_c_library_does() {
        let text = "127.0.0.1\tlocalhost box # localhost\n#127.0.0.2 localhost\n\
                    ::1 ip6-localhost LocalHost\n10.0.0.1 localhost.example\n";
        let expected: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(in_hosts(text), expected);
        assert_eq!(in_hosts(""), Vec::<IpAddr>::new());
    }
}
