//! Short texts for rows: names, times, counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::escape::escaped;
use super::width::cut;
use crate::model::{Client, Container, Destination, Outcome, Pod, Program, Session};

/// `NAMESPACE/NAME`
pub(super) fn pod_name(pod: &Pod) -> String {
    escaped(format!("{}/{}", pod.namespace, pod.name).as_bytes())
}

/// The container's name. Without one, its short id. A question mark follows if the name may be false.
pub(super) fn container_name(container: &Container) -> String {
    let name = escaped(container.name.as_deref().unwrap_or(short_id(&container.id)).as_bytes());
    if container.is_disputed { format!("{name}?") } else { name }
}

/// The first 12 digits of an id, as docker and crictl show it.
pub(super) fn short_id(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// The mark behind a name that only the arguments of a process claim.
const CLAIMED: char = '?';

/// A name, with a mark if it is only claimed.
pub(super) fn marked(mut name: String, is_claimed: bool) -> String {
    if is_claimed {
        name.push(CLAIMED);
    }
    name
}

/// The shortest name of a session's target: its pod, container, or network namespace, with a process
/// in it.
pub(super) fn target_name(target: &Destination) -> String {
    marked(place_name(target), target.is_claimed)
}

/// The program that forwards, with the uid of any user but root.
pub(super) fn forwarder_name(forwarder: &Program) -> String {
    let name = escaped(&forwarder.comm);
    match forwarder.uid {
        Some(uid) if uid != 0 => format!("{name} (uid {uid})"),
        _ => name,
    }
}

/// The most columns that a row has for what a client calls itself.
const MAX_PROGRAM: usize = 40;

/// What a client of an endpoint calls itself, up to the first space, and its address:
/// `kubectl/v1.32.3 at 127.0.0.1:51234`.
pub(super) fn client_name(client: &Client) -> String {
    let program = client.user_agent.split_whitespace().next().unwrap_or("a client");
    format!("{} at {}", cut(&escaped(program.as_bytes()), MAX_PROGRAM), client.address)
}

/// Where a session leads: `port 8080 of shop/kuard`.
pub(super) fn port_of_target(session: &Session) -> String {
    format!("port {} of {}", session.port, target_name(&session.target))
}

fn place_name(target: &Destination) -> String {
    let Destination { pid, comm, netns, owner, .. } = target;
    if let Some(pod) = &owner.pod {
        return pod_name(pod);
    }
    if let Some(container) = &owner.container {
        return container_name(container);
    }
    match (pid, netns) {
        (Some(pid), Some(netns)) => match comm {
            Some(comm) => format!("net:[{netns}] ({} {pid})", escaped(comm)),
            None => format!("net:[{netns}]"),
        },
        (None, Some(netns)) => format!("net:[{netns}]"),
        (Some(pid), None) => format!("pid/{pid}"),
        (None, None) => "-".to_owned(),
    }
}

/// The name of a signal, as `kill -l` prints it. A real-time signal has a number instead.
pub(super) fn signal_name(signal: u8) -> String {
    let name = signal_hook::low_level::signal_name(i32::from(signal));
    name.map_or_else(|| format!("signal {signal}"), ToOwned::to_owned)
}

/// Seconds with milliseconds, truncated: `1.234`.
pub(super) fn seconds(nanoseconds: u64) -> String {
    format!("{}.{:03}", nanoseconds / 1_000_000_000, nanoseconds / 1_000_000 % 1000)
}

/// Seconds with milliseconds, rounded, and the unit: `1.235 s`.
pub(super) fn rounded_seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// `2 refused, 1 timeout`
pub(super) fn outcome_counts(outcomes: &BTreeMap<Outcome, u64>) -> String {
    let counts = outcomes.iter().map(|(outcome, count)| format!("{count} {}", outcome.name()));
    counts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Transport;

    #[test]
    fn a_client_has_a_short_and_escaped_name() {
        let name = |user_agent: &str| {
            let (address, transport) = ("[::1]:5".parse().unwrap(), Transport::Spdy);
            client_name(&Client { address, user_agent: user_agent.to_owned(), transport })
        };
        assert_eq!(name("kubectl/v1.32.3 (linux/amd64)"), "kubectl/v1.32.3 at [::1]:5");
        assert_eq!(name(" \x1b[31m"), "\\x1b[31m at [::1]:5");
        assert_eq!(name(""), "a client at [::1]:5");
        assert_eq!(name(&"x".repeat(100)).chars().count(), MAX_PROGRAM + " at [::1]:5".len());
    }

    #[test]
    fn a_target_has_a_short_and_escaped_name() {
        let mut target = Destination::default();
        assert_eq!(target_name(&target), "-");
        target.pid = Some(7);
        assert_eq!(target_name(&target), "pid/7");
        target.netns = Some(4026);
        assert_eq!(target_name(&target), "net:[4026]");
        target.comm = Some(b"pa\x1b[31m"[..].into());
        assert_eq!(target_name(&target), "net:[4026] (pa\\x1b[31m 7)");
        let (namespace, uid) = ("a".to_owned(), String::new());
        target.owner.pod = Some(Pod { namespace, name: "\x1b[31m".to_owned(), uid });
        assert_eq!(target_name(&target), "a/\\x1b[31m");
        target.is_claimed = true;
        assert_eq!(target_name(&target), "a/\\x1b[31m?");
    }
}
