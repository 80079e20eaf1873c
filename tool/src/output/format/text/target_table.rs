//! The table of targets.

use std::net::{IpAddr, SocketAddr};

use comfy_table::{ContentArrangement, Table, presets};

use crate::model::{TargetEntry, TargetKind, TargetNetwork};
use crate::output::escape::escaped;
use crate::output::names::short_id;

const TITLES: [&str; 10] =
    ["KIND", "NAMESPACE", "NAME", "ID", "RUNTIME", "STATE", "PID", "NETNS", "ADDRESSES", "LISTENS"];

/// The table. In a terminal of `width`, long cells are broken over several lines. Without a width,
/// each row stays on one line.
pub(super) fn target_table(targets: &[TargetEntry], width: Option<u16>) -> String {
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
    for target in targets {
        table.add_row(row(target));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn row(target: &TargetEntry) -> [String; 10] {
    let TargetEntry { info, runtime, network } = target;
    let kind = match info.kind {
        TargetKind::Sandbox => "pod",
        TargetKind::Container => "container",
    };
    let namespace = info.pod.as_ref().map_or("-", |pod| &pod.namespace);
    let cell = |show: fn(&TargetNetwork) -> String| network.as_ref().map_or("-".to_owned(), show);
    [
        kind.to_owned(),
        escaped(namespace.as_bytes()),
        escaped(target.name().as_bytes()),
        escaped(short_id(&info.id).as_bytes()),
        (*runtime).to_owned(),
        escaped(info.state.as_bytes()),
        cell(|network| network.pid.map_or("-".to_owned(), |pid| pid.to_string())),
        cell(|network| network.netns.to_string()),
        cell(|network| list(&network.addresses, IpAddr::to_string)),
        cell(|network| list(&network.listeners, SocketAddr::to_string)),
    ]
}

fn list<T>(items: &[T], show: fn(&T) -> String) -> String {
    if items.is_empty() {
        return "-".to_owned();
    }
    // The space lets a narrow terminal break the cell here.
    items.iter().map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Pod, TargetDetails, TargetInfo};

    fn targets() -> Vec<TargetEntry> {
        let pod =
            Pod { namespace: "shop".into(), name: "kuard\n\u{1b}[31m".into(), uid: "u".into() };
        let info = TargetInfo {
            kind: TargetKind::Sandbox,
            id: "0123456789abcdef".into(),
            name: None,
            name_in_pod: None,
            pod: Some(pod),
            is_running: true,
            state: "Ready".into(),
            details: TargetDetails::default(),
        };
        let network = TargetNetwork {
            pid: Some(4947),
            netns: 4_026_532_178,
            addresses: vec!["10.1.2.3".parse().unwrap()],
            listeners: vec!["127.0.0.1:80".parse().unwrap(), "[::]:8080".parse().unwrap()],
        };
        let stopped = TargetInfo { state: "NotReady".into(), ..info.clone() };
        vec![
            TargetEntry { info, runtime: "containerd", network: Some(network) },
            TargetEntry { info: stopped, runtime: "containerd", network: None },
        ]
    }

    #[test]
    fn without_a_width_a_row_is_a_line() {
        let expected = "\
KIND NAMESPACE NAME            ID           RUNTIME    STATE    PID  NETNS      ADDRESSES LISTENS
pod  shop      kuard\\n\\x1b[31m 0123456789ab containerd Ready    4947 4026532178 10.1.2.3  127.0.0.1:80, [::]:8080
pod  shop      kuard\\n\\x1b[31m 0123456789ab containerd NotReady -    -          -         -
";
        assert_eq!(target_table(&targets(), None), expected);
    }

    #[test]
    fn the_table_fits_the_terminal() {
        for width in [1, 20, 60, 80] {
            let text = target_table(&targets(), Some(width));
            assert!(text.contains("4947") || width < 60, "{text}");
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            // A column needs at least one character and a space: the table cannot be narrower.
            assert!(widest <= usize::from(width.max(20)), "{widest} in {width}:\n{text}");
        }
    }
}
