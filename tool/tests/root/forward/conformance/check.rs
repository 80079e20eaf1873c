//! The test: each forwarder is like a direct connection, except for the known differences.

use super::behaviours::{Behaviour, behaviours};
use super::differences::{Differences, Shows, Side};
use super::page::page;
use super::run::{Observations, run};
use super::way::Way;

/// The page that the test writes with `INSTA_UPDATE=always`, as the golden files of tests/cli.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/conformance.md");

#[test]
fn a_forwarded_connection_is_like_a_direct_one() {
    let (behaviours, known) = (behaviours(), Differences::read());
    let observations = run(&behaviours);
    let new = page(&behaviours, &known, &observations);
    println!("{new}");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(PAGE, &new).unwrap();
    }
    let mut wrong = compare(&behaviours, &known, &observations);
    let unknown = known.all.iter().filter(|one| behaviours.iter().all(|b| b.name != one.behaviour));
    wrong.extend(unknown.map(|one| format!("no such behaviour: {}", one.behaviour)));
    let golden = std::fs::read_to_string(PAGE).unwrap_or_default();
    let line = new.lines().find(|line| !golden.lines().any(|old| old == *line));
    wrong.extend(line.map(|line| format!("docs/conformance.md lacks the line: {line}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(new == golden, "docs/conformance.md has lines that no longer hold");
}

/// Differences that are not known, and known ones that did not show.
fn compare(
    behaviours: &[Behaviour],
    known: &Differences,
    observations: &Observations,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (behaviour, observed) in behaviours.iter().zip(observations) {
        for (way, side) in Way::ALL[1..].iter().flat_map(|&way| Side::BOTH.map(|side| (way, side)))
        {
            let [direct, here] = [Way::Direct, way].map(|way| side.of(&observed[way as usize]));
            let place = format!("{}, {}, {}", behaviour.name, way.name(), side.name());
            match known.find(way, side, behaviour.name) {
                None if here != direct => {
                    wrong.push(format!(
                        "{place}: [{here}] where a direct connection has [{direct}]"
                    ));
                }
                Some(one) if here == direct && one.shows != Shows::Sometimes => {
                    wrong.push(format!("{place}: the known difference did not show; remove it"));
                }
                _ => {}
            }
        }
    }
    wrong
}
