//! The commands and links in the runbook.

use crate::common::{output, system};

const RUNBOOK: &str = include_str!("../../../docs/runbook.md");

#[test]
fn every_command_in_the_runbook_parses() {
    let lines = RUNBOOK.lines().filter_map(|line| line.strip_prefix("# pfsnoop "));
    let mut commands = 0;
    for line in lines {
        let line = line.split(['|', '#']).next().unwrap();
        let line = line.replace("POD", "nobody").replace("NS", "nowhere").replace("PORT", "80");
        let script = format!("timeout 1 {} {line}", env!("CARGO_BIN_EXE_pfsnoop"));
        let code = output(system("sh").args(["-c", &script])).status.code();
        // 2 is a usage error. 124 is a command that runs until timeout(1) ends it.
        assert!(matches!(code, Some(0 | 1 | 124)), "{line}: {code:?}");
        commands += 1;
    }
    assert!(commands > 5, "{commands}");
}

#[test]
fn every_link_in_the_runbook_leads_to_a_title() {
    let anchors = RUNBOOK.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap());
    let titles = RUNBOOK.lines().filter_map(|line| line.strip_prefix("## "));
    // As GitHub makes an anchor from a title.
    let slug = |title: &str| {
        let kept = title.to_lowercase().replace(' ', "-");
        kept.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect::<String>()
    };
    let titles: Vec<String> = titles.map(slug).collect();
    for anchor in anchors {
        assert!(titles.iter().any(|title| title == anchor), "{anchor} in {titles:?}");
    }
}
