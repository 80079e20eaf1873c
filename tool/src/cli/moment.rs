//! Times on the command line.

use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::age::Age;

/// A time such as `2h` (ago), `02:14` (the last time that it was 02:14), `2026-11-28 02:14` (local time)
/// or `2026-11-28T02:14:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(Timestamp);

impl Moment {
    /// In ns since 1970.
    #[must_use]
    pub fn ns(self) -> i64 {
        i64::try_from(self.0.as_nanosecond()).unwrap_or(i64::MAX)
    }

    fn parse(text: &str, now: &Zoned) -> Option<Timestamp> {
        if let Ok(age) = text.parse::<Age>() {
            return now.timestamp().checked_sub(age.duration()).ok();
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(time);
        }
        let zone = now.time_zone();
        if let Ok(time) = text.parse::<Time>()
            && text.contains(':')
        {
            let today = now.date().to_datetime(time).to_zoned(zone.clone()).ok()?;
            let is_past = today <= *now;
            return if is_past { Some(today) } else { today.checked_sub(1.day()).ok() }
                .map(|time| time.timestamp());
        }
        let local = text.parse::<DateTime>().ok()?;
        local.to_zoned(zone.clone()).ok().map(|time| time.timestamp())
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let now = Timestamp::now().to_zoned(TimeZone::system());
        Self::parse(text, &now).map(Self).ok_or_else(|| {
            format!(
                "expected an age such as 2h, a time such as 02:14 or \"2026-11-28 02:14\", or one with a \
                 time zone such as 2026-11-28T02:14:00Z, not `{text}`"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_age_or_a_time() {
        let now: Zoned = "2026-11-28T12:00:00+01:00[Europe/Berlin]".parse().unwrap();
        for (text, expected) in [
            ("2h", "2026-11-28T09:00:00Z"),
            ("02:14", "2026-11-28T01:14:00Z"),
            ("02:14:30", "2026-11-28T01:14:30Z"),
            ("23:14", "2026-11-27T22:14:00Z"),
            ("2026-11-28 02:14", "2026-11-28T01:14:00Z"),
            ("2026-11-28T02:14:05", "2026-11-28T01:14:05Z"),
            ("2026-11-28", "2026-11-27T23:00:00Z"),
            ("2026-11-28T02:14:00Z", "2026-11-28T02:14:00Z"),
            ("2026-11-28T02:14:00+05:30", "2026-11-27T20:44:00Z"),
        ] {
            let moment = Moment::parse(text, &now).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(moment.to_string(), expected, "{text}");
        }
        for wrong in ["", "2", "yesterday", "25:00", "2026-13-01", "-2h"] {
            assert_eq!(Moment::parse(wrong, &now), None, "{wrong}");
        }
    }
}
