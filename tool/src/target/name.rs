//! The name of a target on the command line.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::resource::is_resource;

/// What the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetName {
    /// `NAME` or `pod/NAME`.
    Pod(String),
    /// `NS/NAME`: a pod, with its namespace.
    PodIn {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// `container/ID-OR-NAME`: a container's name, its id, or the beginning of its id.
    Container(String),
    /// `pid/PID`: the network namespace of that process.
    Pid(u32),
    /// `netns/PATH-OR-NAME`: a network namespace by its file, such as `/proc/PID/ns/net`, or by the name
    /// that `ip netns` gave it.
    Netns(PathBuf),
}

/// The forms of a target.
const FORMS: &str = "NAME, pod/NAME, NS/NAME, container/ID-OR-NAME, pid/PID or netns/PATH-OR-NAME";

impl FromStr for TargetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = text.split_once('/').unwrap_or(("pod", text));
        if name.is_empty() {
            return Err(format!("a target is {FORMS}"));
        }
        match kind {
            "pod" | "pods" | "po" => pod(name),
            "container" => Ok(Self::Container(name.to_owned())),
            "netns" => Ok(Self::Netns(netns_file(name))),
            "pid" => match name.parse() {
                Ok(pid) if pid > 0 => Ok(Self::Pid(pid)),
                _ => Err("a pid is a number above 0, as in pid/4947".to_owned()),
            },
            kind if is_resource(kind) => Err(format!(
                "{kind:?} is no kind of target: pfsnoop asks the container runtimes of this node, \
                 which know only pods and containers; a target is {FORMS} (`-n` for a namespace \
                 with this name)"
            )),
            namespace if is_namespace(namespace) && !name.contains('/') => {
                Ok(Self::PodIn { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            other => Err(format!("{other:?} is no kind of target: a target is {FORMS}")),
        }
    }
}

impl TargetName {
    /// Whether only a container runtime can find it.
    #[must_use]
    pub fn is_of_runtime(&self) -> bool {
        match self {
            Self::Pod(_) | Self::PodIn { .. } | Self::Container(_) => true,
            Self::Pid(_) | Self::Netns(_) => false,
        }
    }

    /// How to name this pod, so that it is found again.
    pub(super) fn of_pod(namespace: &str, name: &str) -> String {
        let short = format!("{namespace}/{name}");
        match short.parse() {
            Ok(Self::PodIn { .. }) => short,
            // A prefix wins over a namespace of the same name.
            _ => format!("{name} -n {namespace}"),
        }
    }
}

/// The folder in which `ip netns` makes a file for each name (ip-netns(8)).
const NAMED_NAMESPACES: &str = "/run/netns";

fn netns_file(path_or_name: &str) -> PathBuf {
    let is_path = path_or_name.contains('/');
    if is_path { path_or_name.into() } else { Path::new(NAMED_NAMESPACES).join(path_or_name) }
}

fn pod(name: &str) -> Result<TargetName, String> {
    if name.contains('/') {
        return Err(format!("a pod in a namespace is NS/NAME, without pod/, as in {name}"));
    }
    Ok(TargetName::Pod(name.to_owned()))
}

/// Whether a namespace can have this name: a label as in DNS (RFC 1123).
fn is_namespace(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = name.bytes().all(|byte| is_part(byte) || byte == b'-');
    let ends = [name.bytes().next(), name.bytes().last()];
    is_label && name.len() <= 63 && ends.into_iter().all(|end| end.is_some_and(is_part))
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
        for blue in ["netns/blue", "netns//run/netns/blue"] {
            assert_eq!(blue.parse(), Ok(TargetName::Netns("/run/netns/blue".into())));
        }
        assert_eq!("netns/./blue".parse(), Ok(TargetName::Netns("./blue".into())));
        let (namespace, name) = ("kube-system".to_owned(), "etcd-node.1".to_owned());
        assert_eq!("kube-system/etcd-node.1".parse(), Ok(TargetName::PodIn { namespace, name }));
    }

    #[test]
    fn rejects_what_is_no_name() {
        for wrong in [
            "",
            "pod/",
            "pid/",
            "pid/x",
            "pid/-1",
            "pid/0",
            "pid/99999999999",
            "shop/",
            "/kuard",
            "shop/kuard/web",
            "pod/shop/kuard",
            "Shop/kuard",
            "-a/kuard",
            "a_b/kuard",
            "a.b/kuard",
            "svc/x",
            "deployment.apps/x",
        ] {
            assert!(wrong.parse::<TargetName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_namespace_that_is_named_like_a_prefix_needs_the_option() {
        assert_eq!(TargetName::of_pod("shop", "kuard"), "shop/kuard");
        for namespace in ["pod", "container", "pid", "netns", "svc"] {
            let expected = format!("kuard -n {namespace}");
            assert_eq!(TargetName::of_pod(namespace, "kuard"), expected);
        }
    }
}
