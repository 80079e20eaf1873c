//! The name of a target on the command line.

use std::path::PathBuf;
use std::str::FromStr;

/// What the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetName {
    /// `NAME` or `pod/NAME`.
    Pod(String),
    /// `container/ID-OR-NAME`: a container's name, its id, or the beginning of its id.
    Container(String),
    /// `pid/PID`: the network namespace of that process.
    Pid(u32),
    /// `netns/PATH`: a network namespace by its file, such as `netns//run/netns/NAME`.
    Netns(PathBuf),
}

impl FromStr for TargetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = text.split_once('/').unwrap_or(("pod", text));
        if name.is_empty() {
            return Err("a target is NAME, pod/NAME, container/ID-OR-NAME, pid/PID or netns/PATH"
                .to_owned());
        }
        match kind {
            "pod" | "pods" | "po" => Ok(Self::Pod(name.to_owned())),
            "container" => Ok(Self::Container(name.to_owned())),
            "netns" => Ok(Self::Netns(PathBuf::from(name))),
            "pid" => match name.parse() {
                Ok(pid) if pid > 0 => Ok(Self::Pid(pid)),
                _ => Err("a pid is a number above 0, as in pid/4947".to_owned()),
            },
            other => Err(format!(
                "{other:?} is no kind of target: a target is NAME, pod/NAME, container/ID-OR-NAME, \
                 pid/PID or netns/PATH"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_pods_containers_processes_and_namespaces() {
        let pod = || Ok(TargetName::Pod("kuard".to_owned()));
        assert_eq!("kuard".parse(), pod());
        assert_eq!("pod/kuard".parse(), pod());
        assert_eq!("container/0123".parse(), Ok(TargetName::Container("0123".to_owned())));
        assert_eq!("pid/4947".parse(), Ok(TargetName::Pid(4947)));
        assert_eq!("netns//run/netns/x".parse(), Ok(TargetName::Netns("/run/netns/x".into())));
    }

    #[test]
    fn rejects_what_is_no_name() {
        for wrong in ["", "pod/", "pid/", "pid/x", "pid/-1", "pid/0", "pid/99999999999", "svc/x"] {
            assert!(wrong.parse::<TargetName>().is_err(), "{wrong}");
        }
    }
}
