//! Lists as kubectl prints them: columns and rows (`Table` of meta.k8s.io/v1).

use jiff::Timestamp;
use serde::Serialize;

use super::cells::pod_cells;
use crate::serve::api::objects::{ListMeta, ObjectMeta, Observed, PartialObject, PodObject};
use crate::serve::pods::ServedPod;

/// A table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::serve::api) struct Table<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: ListMeta,
    column_definitions: Vec<Column>,
    rows: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
struct Column {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    format: &'static str,
    description: &'static str,
    /// kubectl shows a column above 0 only with `-o wide`.
    priority: u8,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    cells: Vec<String>,
    object: RowObject<'a>,
}

/// The object of a row. kubectl takes the namespace from it, and the labels.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RowObject<'a> {
    Metadata(PartialObject<'a>),
    Whole(Box<PodObject<'a>>),
}

/// How much of each object a table has, as `includeObject` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::serve::api) enum Include {
    #[default]
    Metadata,
    Object,
}

impl<'a> Table<'a> {
    /// Pods. kubectl adds a first column NAMESPACE for `-A`.
    pub(in crate::serve::api) fn of_pods(
        pods: &[(&'a ServedPod, Observed<'a>)],
        include: Include,
        now: Timestamp,
    ) -> Self {
        let columns = [
            ("Name", "The pod's name, or the container's", 0),
            ("Status", "The pod's phase, or its state in the words of its runtime", 0),
            ("Listens", "TCP ports on which something listens in the pod's network", 0),
            ("Node", "The name of this node", 0),
            ("Age", "The time since it was created", 0),
            ("IP", "The pod's first address", 1),
            ("Runtime", "The container runtime that has it", 1),
        ];
        let row = |&(pod, observed): &(&'a ServedPod, Observed<'a>)| Row {
            cells: pod_cells(pod, observed, now).into(),
            object: match include {
                Include::Metadata => {
                    RowObject::Metadata(PartialObject::new(ObjectMeta::of_pod(pod)))
                }
                Include::Object => RowObject::Whole(Box::new(PodObject::new(pod, observed))),
            },
        };
        Self::new(&columns, pods.iter().map(row).collect(), now)
    }

    /// Namespaces.
    pub(in crate::serve::api) fn of_namespaces(names: &[&'a str], now: Timestamp) -> Self {
        let columns = [("Name", "The namespace's name", 0), ("Status", "Its phase", 0)];
        let row = |name: &&'a str| Row {
            cells: vec![(*name).to_owned(), "Active".to_owned()],
            object: RowObject::Metadata(PartialObject::new(ObjectMeta::of_namespace(name))),
        };
        Self::new(&columns, names.iter().map(row).collect(), now)
    }

    fn new(
        columns: &[(&'static str, &'static str, u8)],
        rows: Vec<Row<'a>>,
        now: Timestamp,
    ) -> Self {
        let column = |&(name, description, priority)| Column {
            name,
            kind: "string",
            // The column with the objects' names.
            format: if name == "Name" { "name" } else { "" },
            description,
            priority,
        };
        Self {
            kind: "Table",
            api_version: "meta.k8s.io/v1",
            metadata: ListMeta::of(now),
            column_definitions: columns.iter().map(column).collect(),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TargetNetwork;
    use crate::serve::pods::example::served;

    #[test]
    fn a_row_shows_what_listens_and_how_old_the_pod_is() {
        let mut pod = served("shop/kuard/u1", true);
        pod.entry.info.details.created = Some(Timestamp::from_second(1000).unwrap());
        let listeners = [8080, 80, 80].map(|port| ([127, 0, 0, 1], port).into()).into();
        let addresses = vec!["10.0.0.7".parse().unwrap()];
        let network = TargetNetwork { addresses, listeners, ..TargetNetwork::default() };
        let observed = Observed { node: "node-1", network: Some(&network) };
        let now = Timestamp::from_second(1090).unwrap();
        let table = Table::of_pods(&[(&pod, observed)], Include::Metadata, now);
        let cells = ["kuard", "Running", "80,8080", "node-1", "90s", "10.0.0.7", "docker"];
        assert_eq!(table.rows[0].cells, cells);
        assert_eq!(table.column_definitions.len(), cells.len());
        let json = serde_json::to_value(&table).unwrap();
        assert_eq!(json["rows"][0]["object"]["metadata"]["namespace"], "shop");
        assert_eq!(json["rows"][0]["object"]["kind"], "PartialObjectMetadata");
        let table = Table::of_pods(&[(&pod, observed)], Include::Object, now);
        let json = serde_json::to_value(&table).unwrap();
        assert_eq!(json["rows"][0]["object"]["spec"]["nodeName"], "node-1");
    }
}
