//! Where to listen: `--address` (client-go tools/portforward/portforward.go,
//! `parseAddresses`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// One of the addresses to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenOn {
    /// 127.0.0.1 and `::1`, or the one of them that this node has.
    Localhost,
    /// This address. It is an error if the node does not have it.
    Ip(IpAddr),
}

impl FromStr for ListenOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "localhost" {
            return Ok(Self::Localhost);
        }
        let ip = text.parse::<IpAddr>().map_err(|_| {
            let what = if text.is_empty() { "an empty address" } else { text };
            format!("{what} is not a valid IP; give IPs of this node, or localhost")
        })?;
        // ::ffff:127.0.0.1 is another way to write 127.0.0.1.
        Ok(Self::Ip(ip.to_canonical()))
    }
}

/// An IP to listen on, and whether the node may lack it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) ip: IpAddr,
    pub(super) may_be_absent: bool,
    /// 0.0.0.0 or `::` is among the addresses and includes this one. A socket of its own would
    /// collide with the other one.
    pub(super) is_included: bool,
}

/// The IPs in the given order, each once. The node must have an IP that the user named, even if
/// `localhost` includes it too.
pub(super) fn wanted(listen_on: &[ListenOn]) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    for one in listen_on {
        let (ips, may_be_absent): (&[IpAddr], bool) = match one {
            ListenOn::Localhost => {
                (&[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)], true)
            }
            ListenOn::Ip(ip) => (std::slice::from_ref(ip), false),
        };
        for &ip in ips {
            match all.iter_mut().find(|wanted| wanted.ip == ip) {
                Some(wanted) => wanted.may_be_absent &= may_be_absent,
                None => all.push(Wanted { ip, may_be_absent, is_included: false }),
            }
        }
    }
    let every: Vec<IpAddr> =
        all.iter().map(|wanted| wanted.ip).filter(IpAddr::is_unspecified).collect();
    for Wanted { ip, is_included, .. } in &mut all {
        // `::` is bound for IPv6 only.
        *is_included = every.iter().any(|every| every != ip && every.is_ipv4() == ip.is_ipv4());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Vec<(String, bool)> {
        let listen_on: Vec<ListenOn> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let wanted = wanted(&listen_on).into_iter();
        wanted.map(|wanted| (wanted.ip.to_string(), wanted.may_be_absent)).collect()
    }

    fn all(texts: &[(&str, bool)]) -> Vec<(String, bool)> {
        texts.iter().map(|&(ip, may_be_absent)| (ip.to_owned(), may_be_absent)).collect()
    }

    #[test]
    fn each_address_comes_once_and_a_named_address_is_required() {
        assert_eq!(of(&["localhost"]), all(&[("127.0.0.1", true), ("::1", true)]));
        assert_eq!(
            of(&["localhost", "::1", "10.0.0.7", "::ffff:10.0.0.7", "localhost"]),
            all(&[("127.0.0.1", true), ("::1", false), ("10.0.0.7", false)])
        );
    }

    #[test]
    fn an_address_that_a_wildcard_includes_has_no_socket_of_its_own() {
        let included = |texts: &str| -> Vec<String> {
            let listen_on: Vec<ListenOn> =
                texts.split(',').map(|text| text.parse().unwrap()).collect();
            let included = wanted(&listen_on).into_iter().filter(|wanted| wanted.is_included);
            included.map(|wanted| wanted.ip.to_string()).collect()
        };
        for (texts, expected) in [
            ("127.0.0.1,0.0.0.0", &["127.0.0.1"][..]),
            ("0.0.0.0,127.0.0.1,10.0.0.7", &["127.0.0.1", "10.0.0.7"]),
            ("localhost,0.0.0.0", &["127.0.0.1"]),
            ("localhost,::", &["::1"]),
            ("::,0.0.0.0", &[]),
            ("::1,0.0.0.0", &[]),
            ("::,::ffff:0.0.0.0,::ffff:127.0.0.1,::1", &["127.0.0.1", "::1"]),
            ("0.0.0.0,0.0.0.0", &[]),
            ("localhost,127.0.0.1", &[]),
        ] {
            assert_eq!(included(texts), expected, "{texts}");
        }
    }

    #[test]
    fn host_names_are_not_addresses() {
        for wrong in ["example.com", "Localhost", "127.0.0.1:80", "[::1]", "1.2.3", " ::1"] {
            let said = wrong.parse::<ListenOn>().unwrap_err();
            assert!(said.starts_with(&format!("{wrong} is not a valid IP")), "{said}");
        }
        let said = "".parse::<ListenOn>().unwrap_err();
        assert!(said.starts_with("an empty address is not a valid IP"), "{said}");
    }
}
