//! The unix socket of a container runtime.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A unix socket: `unix:///PATH` or `/PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(pub(super) PathBuf);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text.strip_prefix("unix://").unwrap_or(text));
        if !path.is_absolute() {
            return Err("a runtime's endpoint is a unix socket, such as \
                        unix:///run/containerd/containerd.sock"
                .to_owned());
        }
        Ok(Self(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_unix_sockets() {
        let socket = Ok(Endpoint("/run/x.sock".into()));
        assert_eq!("unix:///run/x.sock".parse(), socket);
        assert_eq!("/run/x.sock".parse(), socket);
        for wrong in ["", "unix://", "unix://x.sock", "x.sock", "tcp://1.2.3.4:5", "npipe:////./x"]
        {
            assert!(wrong.parse::<Endpoint>().unwrap_err().contains("unix socket"), "{wrong}");
        }
    }
}
