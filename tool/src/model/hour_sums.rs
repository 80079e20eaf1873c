//! Sums over sessions by hour, in bounded memory.

use std::collections::BTreeMap;

use super::{Session, State, Sums};

/// How many hours have sums of their own: a year. Earlier sessions are added up as one.
const MAX_HOURS: usize = 366 * 24;

/// The name under which they are added up. It sorts before any date.
const EARLIER: &str = "(earlier)";

/// Sums over closed sessions by the hour in which they ended.
#[derive(Debug, Default)]
pub struct HourSums {
    hours: BTreeMap<String, Sums>,
}

impl HourSums {
    /// Adds a session if it is closed. Hours are in the order of their names.
    pub fn add(&mut self, hour: String, session: &Session) {
        let State::Closed(closed) = &session.state else { return };
        let has_room = self.hours.len() < MAX_HOURS || self.hours.contains_key(&hour);
        let hour = if has_room { hour } else { EARLIER.to_owned() };
        self.hours.entry(hour).or_default().add(closed);
    }

    /// The sums of each hour, the earliest first.
    pub fn hours(&self) -> impl Iterator<Item = (&String, &Sums)> {
        self.hours.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Closed, Outcome};

    #[test]
    fn hours_have_sums_up_to_a_limit() {
        let session = Session::example(Closed::example(Outcome::Refused));
        let mut sums = HourSums::default();
        for hour in 0..MAX_HOURS + 5 {
            sums.add(format!("{hour:05}"), &session);
            sums.add("00000".to_owned(), &session);
        }
        assert_eq!(sums.hours().count(), MAX_HOURS + 1);
        let all: u64 = sums.hours().map(|(_, sums)| sums.failed[&Outcome::Refused]).sum();
        assert_eq!(all, 2 * (MAX_HOURS as u64 + 5));
        let (first, others) = sums.hours().next().unwrap();
        assert_eq!((first.as_str(), others.sessions), (EARLIER, 5));
    }
}
