//! The ports of a WebSocket with channels, from the query of the URL.

use crate::serve::api::status::Status;

/// A channel's number is a byte, and each port has two channels.
const MAX_PORTS: usize = 127;

/// The ports of `?ports=8080,9090`, also as `?ports=8080&ports=9090`, in order. The errors have the
/// kubelet's words (pkg/kubelet/portforward/websocket.go).
pub(super) fn ports(query: &str) -> Result<Vec<u16>, Status> {
    let mut ports = Vec::new();
    let values = form_urlencoded::parse(query.as_bytes());
    for (_, value) in values.filter(|(name, _)| name == "ports") {
        for text in value.split(',') {
            ports.push(port(text)?);
        }
        if ports.len() > MAX_PORTS {
            return Err(Status::bad_request(format!("more than {MAX_PORTS} ports in one request")));
        }
    }
    if ports.is_empty() {
        return Err(Status::bad_request("query parameter \"ports\" is required"));
    }
    Ok(ports)
}

fn port(text: &str) -> Result<u16, Status> {
    match text.parse() {
        Ok(0) => Err(Status::bad_request(format!("port {text:?} must be > 0"))),
        Ok(port) => Ok(port),
        Err(error) => {
            Err(Status::bad_request(format!("unable to parse {text:?} as a port: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_in_order() {
        for (query, expected) in [
            ("ports=80", &[80][..]),
            ("ports=8080,80", &[8080, 80]),
            ("ports=8080&x=1&ports=80", &[8080, 80]),
            ("ports=8080%2C80", &[8080, 80]),
        ] {
            assert_eq!(ports(query).unwrap(), expected, "{query}");
        }
        let many = format!("ports={}", ["1"; MAX_PORTS].join(","));
        assert_eq!(ports(&many).unwrap().len(), MAX_PORTS);
    }

    #[test]
    fn other_ports_are_refused() {
        let many = format!("ports={}", ["1"; MAX_PORTS + 1].join(","));
        for query in
            ["", "port=80", "ports=", "ports=0", "ports=65536", "ports=http", "ports=80,", &many]
        {
            assert_eq!(ports(query).unwrap_err().code(), 400, "{query}");
        }
    }
}
