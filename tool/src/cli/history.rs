//! The options of `pfsnoop history`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{
    NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
};

use super::moment::Moment;
use crate::agent::store::DEFAULT_STORE;
use crate::model::{HistoryFilter, Outcome, OutcomeFilter, PodName, Via};
use crate::output::HistoryFormat;

/// `pfsnoop history`
#[derive(Args, Debug)]
#[command(after_help = HISTORY_EXAMPLES)]
pub struct History {
    /// The file that `pfsnoop agent` stores in, or a copy of it
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STORE)]
    pub store: PathBuf,
    /// Show only sessions that ended at this time or later, or that are open: an age such as 2h, or a
    /// time such as 02:14, "2026-11-28 02:14" or 2026-11-28T02:14:00Z
    #[arg(long, value_name = "AGE-OR-TIME")]
    pub since: Option<Moment>,
    /// Show only sessions that ended, or began to be open, at this time or earlier
    #[arg(long, value_name = "AGE-OR-TIME")]
    pub until: Option<Moment>,
    /// Show only sessions into this pod
    #[arg(long, value_name = "[NS/]NAME")]
    pub pod: Option<PodName>,
    /// Show only sessions into pods of this namespace
    #[arg(short, long, value_name = "NS", value_parser = NonEmptyStringValueParser::new())]
    pub namespace: Option<String>,
    /// Show only sessions into this container, by name or by the beginning of its id
    #[arg(long, value_name = "ID-OR-NAME", value_parser = NonEmptyStringValueParser::new())]
    pub container: Option<String>,
    /// Show only sessions to this port of the target
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Show only sessions that ended like this; not-ok is everything but ok
    #[arg(long, value_name = "OUTCOME", value_parser = outcome_values())]
    pub outcome: Option<OutcomeFilter>,
    /// Show only sessions of this dialer
    #[arg(long, value_name = "DIALER", value_parser = via_values())]
    pub via: Option<Via>,
    /// Show only sessions of forwarders with this name, for example containerd
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub forwarder: Option<String>,
    /// Show only the newest N sessions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Go on with what the agent stores from now on. Without --since and --count, begin with the
    /// newest 10 sessions
    #[arg(long, conflicts_with_all = ["until", "summary"])]
    pub follow: bool,
    /// Instead of sessions, show their sums by pod and port, and by hour
    #[arg(long)]
    pub summary: bool,
    /// Format of the sessions
    #[arg(short, long, value_enum, default_value_t)]
    pub output: HistoryFormat,
}

impl History {
    /// What is wrong with the options together.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.summary && self.output == HistoryFormat::Json {
            return Err(
                "--summary has no JSON; add the records of `history -o json` up, for example with jq",
            );
        }
        match (self.since, self.end()) {
            (Some(since), Some(end)) if end.ns() < since.ns() => {
                Err("--until is before --since: no session can have ended in that time")
            }
            _ => Ok(()),
        }
    }

    /// The time of --until.
    fn end(&self) -> Option<Moment> {
        Some(self.until?.as_end_of(self.since))
    }

    /// The options that choose sessions.
    #[must_use]
    pub fn filter(&self) -> HistoryFilter {
        HistoryFilter {
            since_ns: self.since.map(Moment::ns),
            until_ns: self.end().map(Moment::ns),
            pod: self.pod.clone(),
            namespace: self.namespace.clone(),
            container: self.container.clone(),
            port: self.port,
            outcome: self.outcome,
            via: self.via,
            forwarder: self.forwarder.clone(),
        }
    }
}

const NOT_OK: &str = "not-ok";

fn outcome_values() -> impl TypedValueParser<Value = OutcomeFilter> {
    let names = Outcome::ALL.iter().map(|outcome| outcome.name()).chain([NOT_OK]);
    PossibleValuesParser::new(names.map(PossibleValue::new)).map(|name| {
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.name() == name);
        outcome.map_or(OutcomeFilter::NotOk, OutcomeFilter::Is)
    })
}

fn via_values() -> impl TypedValueParser<Value = Via> {
    let names = [Via::NsenterSocat.name(), Via::Native.name()];
    PossibleValuesParser::new(names.map(PossibleValue::new))
        .map(|name| if name == Via::Native.name() { Via::Native } else { Via::NsenterSocat })
}

const HISTORY_EXAMPLES: &str = "\
Examples:
  pfsnoop history --since 02:00 --until 02:30 --outcome not-ok
                                             what failed around 02:14, for which pod, and why
  pfsnoop history --pod shop/kuard --count 20
                                             the newest 20 sessions into one pod
  pfsnoop history --since 1d --summary       how many failed, by pod and port, and by hour
  pfsnoop history --follow -o json           records as the agent stores them";
