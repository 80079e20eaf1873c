//! docs/conformance.md.

use super::behaviours::Behaviour;
use super::differences::{Differences, Shows, Side};
use super::run::Observations;
use super::way::{Observed, Way};

/// The head of each table.
const HEAD: &str =
    "| behaviour | direct | socat | nsenter | native |\n| --- | --- | --- | --- | --- |\n";

/// The page, with one row for each behaviour.
pub fn page(behaviours: &[Behaviour], known: &Differences, observations: &Observations) -> String {
    let mut page = include_str!("page.md").to_owned();
    let mut group = "";
    for (behaviour, observed) in behaviours.iter().zip(observations) {
        if behaviour.group != group {
            group = behaviour.group;
            page.extend(["\n## ", group, "\n\n", HEAD]);
        }
        page += &row(behaviour, known, observed);
    }
    page += "\n## Reasons\n\n";
    let reasons = known.reasons.iter().enumerate();
    page.extend(reasons.map(|(number, reason)| format!("{}. {reason}\n", number + 1)));
    page
}

fn row(behaviour: &Behaviour, known: &Differences, observed: &[Observed]) -> String {
    let direct = &observed[Way::Direct as usize];
    let own = Side::BOTH.map(|side| format!("{}: {}", side.name(), text(side.of(direct))));
    let cell = |way: Way| {
        let parts = Side::BOTH.into_iter().filter_map(|side| {
            let here = side.of(&observed[way as usize]);
            let difference = known.find(way, side, behaviour.name);
            let note = difference.map_or_else(String::new, |one| format!(" ({})", one.note));
            let here = match difference.map(|one| one.shows) {
                Some(Shows::Varies) => "differs, and varies",
                Some(Shows::Sometimes) => "differs at times",
                Some(Shows::Same) | None if here == side.of(direct) => return None,
                Some(Shows::Same) | None => text(here),
            };
            Some(format!("{}: {here}{note}", side.name()))
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "same".to_owned() } else { parts.join("<br>") }
    };
    let [socat, nsenter, native] = [Way::Socat, Way::Nsenter, Way::Native].map(cell);
    format!("| {} | {} | {socat} | {nsenter} | {native} |\n", behaviour.name, own.join("<br>"))
}

fn text(observed: &str) -> &str {
    if observed.is_empty() { "–" } else { observed }
}
