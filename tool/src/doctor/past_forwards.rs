//! What the store of `pfsnoop agent` knows about forwards to a target.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::open_ports::list;
use crate::agent::store::{History, StoreError};
use crate::model::Severity::Note;
use crate::model::{Finding, HistoryFilter, Outcome, OutcomeFilter, PastSession, PodName, State};
use crate::target::{Target, TargetName};

const CHECK: &str = "target.history";
const WHY: &str =
    "what has failed before may fail again; `pfsnoop history` shows each of these forwards";

/// How many forwards count as the last ones.
const LAST: usize = 20;

/// Open sessions are among the newest. They have no outcome yet.
const READ: u64 = 2 * LAST as u64;

/// Earlier forwards are counted up to this number.
const MAX_BEFORE: u64 = 10_000;

/// Says how the last forwards to the target ended. `None` without a store, for a target without a name,
/// and without such forwards.
pub(super) fn past_forwards(
    store: &Path,
    target: &Target,
    name: &TargetName,
    ports: &[u16],
) -> Option<Finding> {
    let (filter, place) = filter(target, name, ports)?;
    match finding(store, &filter, &place) {
        Ok(finding) => finding,
        Err(StoreError::Missing) => None,
        Err(error) => {
            let what = format!("cannot read the store {}: {error}", store.display());
            Some(Finding::new(Note, CHECK, what, WHY))
        }
    }
}

/// The forwards to the target, to one port if the user names one, and their name.
fn filter(target: &Target, name: &TargetName, ports: &[u16]) -> Option<(HistoryFilter, String)> {
    let pod = target.identity().and_then(|identity| identity.pod());
    let pod = match (pod, name) {
        (Some(pod), _) => Some((pod.namespace.clone(), pod.name.clone())),
        (None, TargetName::PodIn { namespace, name }) => Some((namespace.clone(), name.clone())),
        (None, _) => None,
    };
    let pod = pod.map(|(namespace, name)| PodName { namespace: Some(namespace), name });
    let (container, what) = match &pod {
        Some(_) => (None, "pod"),
        None => (Some(target.identity()?.id().to_owned()), "container"),
    };
    let port = <[u16; 1]>::try_from(ports).ok().map(|[port]| port);
    let place = match port {
        Some(port) => format!("port {port} of this {what}"),
        None => format!("this {what}"),
    };
    Some((HistoryFilter { pod, container, port, ..HistoryFilter::default() }, place))
}

fn finding(
    store: &Path,
    filter: &HistoryFilter,
    place: &str,
) -> Result<Option<Finding>, StoreError> {
    let history = History::open(store)?;
    let newest = history.sessions(&history.numbers(filter, Some(READ))?)?;
    let ended: Vec<_> = newest.into_iter().filter_map(outcome).collect();
    let last = &ended[ended.len().saturating_sub(LAST)..];
    let Some((newest, _)) = last.last() else { return Ok(None) };
    let mut failed = BTreeMap::new();
    for (_, outcome) in last.iter().filter(|(_, outcome)| *outcome != Outcome::Ok) {
        *failed.entry(*outcome).or_insert(0) += 1;
    }
    let which = format!("the last {} forwards to {place}", last.len());
    let Some((since, _)) = last.iter().find(|(_, outcome)| *outcome != Outcome::Ok) else {
        let what = format!("{which} ended well, the newest at {}", clock(*newest));
        return Ok(Some(Finding::ok(CHECK, what, WHY)));
    };
    let before = HistoryFilter {
        until_ns: i64::try_from(since.as_nanosecond() - 1).ok(),
        outcome: Some(OutcomeFilter::Is(Outcome::Ok)),
        ..filter.clone()
    };
    let before = history.numbers(&before, Some(MAX_BEFORE))?.len();
    let failed = list(failed.iter().map(|(outcome, count)| format!("{count} {}", outcome.name())));
    let what = format!("{which}: {failed} since {}, before that {before} ok", clock(*since));
    Ok(Some(Finding::new(Note, CHECK, what, WHY)))
}

fn outcome(past: PastSession) -> Option<(Timestamp, Outcome)> {
    match past.session.state {
        State::Closed(closed) => Some((past.time, closed.outcome)),
        _ => None,
    }
}

/// The time of day, with the date if it is not today's.
fn clock(time: Timestamp) -> String {
    let zone = TimeZone::system();
    let (time, now): (Zoned, Zoned) =
        (time.to_zoned(zone.clone()), Timestamp::now().to_zoned(zone));
    let format = if time.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    time.strftime(format).to_string()
}
