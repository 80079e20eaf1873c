//! The filter of `history` as SQL.

use rusqlite::types::Value;

use super::codes::{OUTCOMES, VIAS, code};
use crate::model::{HistoryFilter, Outcome, OutcomeFilter, PodName};

/// The conditions of a query, and their values.
#[derive(Debug, Default)]
pub(super) struct Query {
    conditions: Vec<&'static str>,
    values: Vec<Value>,
    /// The index to use. The store has no statistics from which SQLite could choose.
    index: &'static str,
}

impl Query {
    /// The sessions that changed last in the time that the user named.
    pub(super) fn in_time(filter: &HistoryFilter) -> Self {
        let mut query = Self { index: "session_time", ..Self::default() };
        query.add_filter(filter);
        query.add_if("time_ns >= ?", filter.since_ns);
        query
    }

    /// The open sessions that have not changed since.
    pub(super) fn still_open(filter: &HistoryFilter, since_ns: i64) -> Self {
        let mut query = Self::default();
        query.add_filter(filter);
        query.index = "session_open";
        query.conditions.push("state < 2");
        query.add_if("time_ns < ?", Some(since_ns));
        query
    }

    /// The sessions that changed after the one with this number.
    pub(super) fn after(filter: &HistoryFilter, number: i64) -> Self {
        let mut query = Self::default();
        query.add_filter(filter);
        query.add_if("id > ?", Some(number));
        query
    }

    /// The SQL that selects their numbers, and the values in it.
    pub(super) fn numbers(self, end: &str) -> (String, Vec<Value>) {
        let conditions = if self.conditions.is_empty() {
            "true".to_owned()
        } else {
            self.conditions.join(" AND ")
        };
        let index = match (self.index, end) {
            (_, BY_NUMBER) => "NOT INDEXED".to_owned(),
            (index, _) => format!("INDEXED BY {index}"),
        };
        (format!("SELECT id FROM session {index} WHERE {conditions} {end}"), self.values)
    }

    fn add_filter(&mut self, filter: &HistoryFilter) {
        self.add_if("time_ns <= ?", filter.until_ns);
        self.add_if("port = ?", filter.port.map(i64::from));
        self.add_if("via = ?", filter.via.and_then(|via| code(&VIAS, &via)).map(i64::from));
        let forwarder = "forwarder_comm IN (SELECT id FROM text WHERE value = ?)";
        self.add_if(forwarder, filter.forwarder.clone());
        match filter.outcome {
            Some(OutcomeFilter::Is(outcome)) => {
                self.add_if("outcome = ?", code(&OUTCOMES, &outcome).map(i64::from));
                if outcome != Outcome::Ok {
                    self.only_failed();
                }
            }
            Some(OutcomeFilter::NotOk) => self.only_failed(),
            None => {}
        }
        self.add_target(filter);
    }

    fn only_failed(&mut self) {
        self.conditions.push("outcome > 0");
        self.index = "session_failed";
    }

    fn add_target(&mut self, filter: &HistoryFilter) {
        if let Some(PodName { namespace, name }) = &filter.pod {
            self.add_if("target IN (SELECT id FROM target WHERE pod = ?)", Some(name.clone()));
            self.add_if(IN_NAMESPACE, namespace.clone());
            self.index = "session_target";
        }
        if let Some(namespace) = &filter.namespace {
            self.add_if(IN_NAMESPACE, Some(namespace.clone()));
            self.index = "session_target";
        }
        if let Some(container) = &filter.container {
            self.add_if(IN_CONTAINER, Some(container.clone()));
            self.index = "session_target";
        }
    }

    fn add_if(&mut self, condition: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.conditions.push(condition);
            self.values.push(value.into());
        }
    }
}

/// The order of the changes.
pub(super) const BY_NUMBER: &str = "ORDER BY id LIMIT 512";

const IN_NAMESPACE: &str = "target IN (SELECT id FROM target WHERE namespace = ?)";

/// As everywhere, a container whose id may be false does not match.
const IN_CONTAINER: &str = "target IN (WITH wanted(name) AS (VALUES (?)) \
     SELECT id FROM target, wanted WHERE NOT is_disputed \
     AND (container = name OR substr(container_id, 1, length(name)) = name))";
