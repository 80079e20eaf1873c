//! The ports inside a target on which something listens.

use std::net::SocketAddr;

/// How many ports a line names.
const MAX_NAMED: usize = 8;

/// Each port that listens, once, in ascending order.
pub(super) fn ports(listeners: &[SocketAddr]) -> Vec<u16> {
    let mut ports: Vec<u16> = listeners.iter().map(SocketAddr::port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// What is wrong and the fix, when nothing listens on `port`.
pub(super) fn nothing_listens(
    listeners: &[SocketAddr],
    port: u16,
    target_args: &str,
) -> (String, String) {
    let others = ports(listeners);
    match others[..] {
        [] => (
            format!("nothing listens on {port}, nor on any other port"),
            format!(
                "pfsnoop doctor {target_args} {port}   # again, once the application has started"
            ),
        ),
        [first, ..] => {
            let verb = if others.len() == 1 { "does" } else { "do" };
            let others = list(others.iter().take(MAX_NAMED).map(u16::to_string));
            let what = format!("nothing listens on {port}; {others} {verb}");
            (what, format!("pfsnoop doctor {target_args} {first}"))
        }
    }
}

/// `80, 443 and 9090`
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        Some(last) if !items.is_empty() => format!("{} and {last}", items.join(", ")),
        last => last.unwrap_or_default(),
    }
}
