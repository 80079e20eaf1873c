//! `-T` in the time zone of `TZ`.

use crate::common::running::Running;
use crate::common::{pfsnoop, stdout_of, system};
use crate::support::exec::run;

/// The rows' hours and minutes, and what pfsnoop says on stderr.
fn shown(zone: &str) -> (String, Vec<String>) {
    let mut snoop = Running::start(pfsnoop(&["-T", "-n", "true"]).env("TZ", zone));
    snoop.stdout_line("header", |line| line.contains("PCOMM"));
    run("/bin/true", &["m-zone"]);
    let row = snoop.stdout_line("row", |line| line.ends_with("m-zone"));
    let (_, _, stderr) = snoop.interrupt();
    (row[.."HH:MM".len()].to_owned(), stderr)
}

fn now(zone: &str) -> String {
    stdout_of(system("date").arg("+%H:%M").env("TZ", zone)).trim().to_owned()
}

#[test]
fn times_are_in_the_time_zone_of_tz() {
    for zone in [
        "Europe/Berlin",
        ":Europe/Berlin",
        "Asia/Kolkata",
        "EST5EDT",
        "CET-1CEST",
        ":CET-1CEST",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "<+0545>-5:45",
        "/usr/share/zoneinfo/Pacific/Auckland",
        "UTC",
        "",
    ] {
        let before = now(zone);
        let (shown, stderr) = shown(zone);
        assert!([before, now(zone)].contains(&shown), "TZ={zone}: {shown}, not {}", now(zone));
        assert_eq!(stderr, [""; 0], "TZ={zone}");
    }
}

#[test]
fn an_unknown_time_zone_is_noted_once_and_times_are_utc() {
    for zone in ["Europe/Atlantis", "CET-1CEST,M3", "/etc/passwd"] {
        let before = now("UTC");
        let (shown, stderr) = shown(zone);
        assert!([before, now("UTC")].contains(&shown), "TZ={zone}: {shown}");
        let [note] = &stderr[..] else { panic!("one note: {stderr:#?}") };
        assert!(note.contains(zone) && note.contains("UTC"), "{note}");
    }
}
