//! The time zone of the node, or the one that `TZ` names.

use jiff::tz::TimeZone;

/// The rule of a POSIX time zone that names summer time without saying when it begins and ends:
/// glibc's `TZDEFAULTRULE` (time/tzset.c).
const DEFAULT_RULE: &str = ",M3.2.0,M11.1.0";

/// `TZ` names no time zone.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "TZ={0:?} is not a time zone, so times are in UTC; use a name such as Europe/Berlin, or a POSIX \
     rule such as CET-1CEST,M3.5.0,M10.5.0/3"
)]
pub struct UnknownZone(String);

/// The time zone: of `TZ`, else of /etc/localtime, else UTC.
pub fn local() -> Result<TimeZone, UnknownZone> {
    // jiff knows names, with or without a colon, POSIX rules, and paths of files.
    let error = match TimeZone::try_system() {
        Ok(zone) => return Ok(zone),
        Err(error) => error,
    };
    log::debug!("the time zone: {error}");
    match std::env::var_os("TZ") {
        Some(text) => without_rule(&text.to_string_lossy()),
        // A node without /etc/localtime uses UTC.
        None => Ok(TimeZone::UTC),
    }
}

/// A POSIX time zone without a rule, such as `CET-1CEST`.
fn without_rule(text: &str) -> Result<TimeZone, UnknownZone> {
    let zone = text.strip_prefix(':').unwrap_or(text);
    TimeZone::posix(&format!("{zone}{DEFAULT_RULE}")).map_err(|_| UnknownZone(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_without_a_rule_has_the_rule_of_the_c_library() {
        let zone = without_rule("CET-1CEST").unwrap();
        for (time, hour) in [("2026-02-01T12:00:00Z", 13), ("2026-03-10T12:00:00Z", 14)] {
            let time: jiff::Timestamp = time.parse().unwrap();
            assert_eq!(time.to_zoned(zone.clone()).hour(), hour, "{time}");
        }
        for wrong in ["", "Nowhere/Town", "CET-1CEST,M3", "\u{1b}[31m"] {
            assert_eq!(without_rule(wrong), Err(UnknownZone(wrong.to_owned())), "{wrong}");
        }
    }
}
