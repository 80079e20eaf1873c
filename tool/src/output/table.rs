//! Targets as a table: for eyes, so it fits the terminal; in a pipe a row stays a line.

use std::net::{IpAddr, SocketAddr};

use comfy_table::{ContentArrangement, Table, presets};

use super::escape::escaped;
use crate::resolve::{Found, Kind, Network};

/// Characters of an id that are shown; enough to name it by, as docker and crictl show.
const SHORT_ID: usize = 12;

const TITLES: [&str; 10] =
    ["KIND", "NAMESPACE", "NAME", "ID", "RUNTIME", "STATE", "PID", "NETNS", "ADDRESSES", "LISTENS"];

/// The table: within `width` cells are broken over several lines, without it none is.
#[must_use]
pub fn targets(found: &[Found], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(TITLES);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for one in found {
        table.add_row(row(one));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn row(found: &Found) -> [String; 10] {
    let Found { listed, runtime, network } = found;
    let kind = match listed.kind {
        Kind::Sandbox => "pod",
        Kind::Container => "container",
    };
    let namespace = listed.pod.as_ref().map_or("-", |pod| &pod.namespace);
    let inside = |show: fn(&Network) -> String| network.as_ref().map_or("-".to_owned(), show);
    [
        kind.to_owned(),
        escaped(namespace.as_bytes()),
        escaped(found.name().as_bytes()),
        escaped(listed.id.chars().take(SHORT_ID).collect::<String>().as_bytes()),
        (*runtime).to_owned(),
        escaped(listed.state.as_bytes()),
        inside(|network| network.pid.map_or("-".to_owned(), |pid| pid.to_string())),
        inside(|network| network.netns.to_string()),
        inside(|network| list(&network.addresses, IpAddr::to_string)),
        inside(|network| list(&network.listeners, SocketAddr::to_string)),
    ]
}

fn list<T>(all: &[T], show: fn(&T) -> String) -> String {
    if all.is_empty() {
        return "-".to_owned();
    }
    // The space lets a narrow terminal break it here.
    all.iter().map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Listed;
    use crate::trace::Pod;

    fn found() -> Vec<Found> {
        let pod =
            Pod { namespace: "shop".into(), name: "kuard\n\u{1b}[31m".into(), uid: "u".into() };
        let listed = Listed {
            kind: Kind::Sandbox,
            id: "0123456789abcdef".into(),
            name: None,
            pod: Some(pod),
            is_running: true,
            state: "Ready".into(),
        };
        let network = Network {
            pid: Some(4947),
            netns: 4_026_532_178,
            addresses: vec!["10.1.2.3".parse().unwrap()],
            listeners: vec!["127.0.0.1:80".parse().unwrap(), "[::]:8080".parse().unwrap()],
        };
        let stopped = Listed { state: "NotReady".into(), ..listed.clone() };
        vec![
            Found { listed, runtime: "containerd", network: Some(network) },
            Found { listed: stopped, runtime: "containerd", network: None },
        ]
    }

    #[test]
    fn in_a_pipe_a_row_is_a_line() {
        let expected = "\
KIND NAMESPACE NAME            ID           RUNTIME    STATE    PID  NETNS      ADDRESSES LISTENS
pod  shop      kuard\\n\\x1b[31m 0123456789ab containerd Ready    4947 4026532178 10.1.2.3  127.0.0.1:80, [::]:8080
pod  shop      kuard\\n\\x1b[31m 0123456789ab containerd NotReady -    -          -         -
";
        assert_eq!(targets(&found(), None), expected);
    }

    #[test]
    fn a_terminal_of_any_width_holds_it() {
        for width in [1, 20, 60, 80] {
            let text = targets(&found(), Some(width));
            assert!(text.contains("4947") || width < 60, "{text}");
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            // Below one character and a space a column, nothing can be done.
            assert!(widest <= usize::from(width.max(20)), "{widest} in {width}:\n{text}");
        }
    }
}
