//! Times on the command line.

use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::age::Age;

/// A time such as `2h` (ago), `02:14` (the last time that it was 02:14), `2026-11-28 02:14` (local time)
/// or `2026-11-28T02:14:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    time: Timestamp,
    /// For a time of day that is still to come: this time today.
    today: Option<Timestamp>,
}

impl Moment {
    /// In ns since 1970.
    #[must_use]
    pub fn ns(self) -> i64 {
        i64::try_from(self.time.as_nanosecond()).unwrap_or(i64::MAX)
    }

    /// This time as the end of what begins at `since`. At 02:20, 02:30 means yesterday's, but today's if the
    /// begin is 02:00.
    #[must_use]
    pub fn as_end_of(self, since: Option<Self>) -> Self {
        let is_too_early = since.is_some_and(|since| self.time < since.time);
        self.today.filter(|_| is_too_early).map_or(self, Self::at)
    }

    fn at(time: Timestamp) -> Self {
        Self { time, today: None }
    }

    fn parse(text: &str, now: &Zoned) -> Option<Self> {
        if let Ok(age) = text.parse::<Age>() {
            return now.timestamp().checked_sub(age.duration()).ok().map(Self::at);
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(Self::at(time));
        }
        let zone = now.time_zone();
        if let Ok(time) = text.parse::<Time>()
            && text.contains(':')
        {
            let today = now.date().to_datetime(time).to_zoned(zone.clone()).ok()?;
            if today <= *now {
                return Some(Self::at(today.timestamp()));
            }
            let yesterday = today.checked_sub(1.day()).ok()?.timestamp();
            return Some(Self { time: yesterday, today: Some(today.timestamp()) });
        }
        let local = text.parse::<DateTime>().ok()?;
        local.to_zoned(zone.clone()).ok().map(|time| Self::at(time.timestamp()))
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let now = Timestamp::now().to_zoned(TimeZone::system());
        Self::parse(text, &now).ok_or_else(|| {
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
            assert_eq!(moment.time.to_string(), expected, "{text}");
        }
        for wrong in ["", "2", "yesterday", "25:00", "2026-13-01", "-2h"] {
            assert_eq!(Moment::parse(wrong, &now), None, "{wrong}");
        }
    }

    #[test]
    fn an_end_that_is_still_to_come_is_todays() {
        let now: Zoned = "2026-11-28T02:20:00+00:00[UTC]".parse().unwrap();
        let moment = |text| Moment::parse(text, &now).unwrap();
        for (since, until, expected) in [
            (Some("02:00"), "02:30", "2026-11-28T02:30:00Z"),
            (Some("1h"), "23:00", "2026-11-28T23:00:00Z"),
            (Some("23:00"), "02:00", "2026-11-28T02:00:00Z"),
            (Some("02:10"), "02:00", "2026-11-28T02:00:00Z"),
            (Some("2d"), "02:30", "2026-11-27T02:30:00Z"),
            (None, "02:30", "2026-11-27T02:30:00Z"),
        ] {
            let end = moment(until).as_end_of(since.map(moment));
            assert_eq!(end.time.to_string(), expected, "{since:?} {until}");
        }
    }
}
