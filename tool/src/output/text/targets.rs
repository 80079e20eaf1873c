//! Targets as a table that fits the terminal; in a pipe a row stays on one line.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use comfy_table::{ContentArrangement, Table, presets};

use crate::model::{TargetEntry, TargetKind, TargetNetwork, Update};
use crate::output::escape::escaped;
use crate::output::names::short_id;
use crate::output::sink::Sink;
use crate::output::terminal::terminal_width;

const TITLES: [&str; 10] =
    ["KIND", "NAMESPACE", "NAME", "ID", "RUNTIME", "STATE", "PID", "NETNS", "ADDRESSES", "LISTENS"];

/// Collects targets, and writes them as one table.
pub(super) struct TargetSink<W> {
    out: W,
    targets: Vec<TargetEntry>,
}

impl<W: Write> TargetSink<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, targets: Vec::new() }
    }
}

impl<W: Write> Sink for TargetSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        if let Update::Target(target) = update {
            self.targets.push(target.as_ref().clone());
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.out.write_all(table(&self.targets, terminal_width()).as_bytes())?;
        self.flush()
    }
}

/// The table. With a width, long cells are broken over several lines.
fn table(targets: &[TargetEntry], width: Option<u16>) -> String {
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
    for one in targets {
        table.add_row(row(one));
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
    let inside = |show: fn(&TargetNetwork) -> String| network.as_ref().map_or("-".to_owned(), show);
    [
        kind.to_owned(),
        escaped(namespace.as_bytes()),
        escaped(target.name().as_bytes()),
        escaped(short_id(&info.id).as_bytes()),
        (*runtime).to_owned(),
        escaped(info.state.as_bytes()),
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
    use crate::model::{Pod, TargetInfo};

    fn targets() -> Vec<TargetEntry> {
        let pod =
            Pod { namespace: "shop".into(), name: "kuard\n\u{1b}[31m".into(), uid: "u".into() };
        let info = TargetInfo {
            kind: TargetKind::Sandbox,
            id: "0123456789abcdef".into(),
            name: None,
            pod: Some(pod),
            is_running: true,
            state: "Ready".into(),
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
    fn in_a_pipe_a_row_is_a_line() {
        let expected = "\
KIND NAMESPACE NAME            ID           RUNTIME    STATE    PID  NETNS      ADDRESSES LISTENS
pod  shop      kuard\\n\\x1b[31m 0123456789ab containerd Ready    4947 4026532178 10.1.2.3  127.0.0.1:80, [::]:8080
pod  shop      kuard\\n\\x1b[31m 0123456789ab containerd NotReady -    -          -         -
";
        assert_eq!(table(&targets(), None), expected);
    }

    #[test]
    fn a_terminal_of_any_width_holds_it() {
        for width in [1, 20, 60, 80] {
            let text = table(&targets(), Some(width));
            assert!(text.contains("4947") || width < 60, "{text}");
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            // Below one character and a space a column, nothing can be done.
            assert!(widest <= usize::from(width.max(20)), "{widest} in {width}:\n{text}");
        }
    }
}
