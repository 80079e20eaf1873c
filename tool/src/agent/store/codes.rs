//! The numbers that stand for words in the store. A number that was released never changes.

use crate::model::{Outcome, State, Via};

/// By the number in `session.outcome`.
pub(super) const OUTCOMES: [Outcome; 9] = Outcome::ALL;

/// By the number in `session.via`.
pub(super) const VIAS: [Via; 2] = [Via::NsenterSocat, Via::Native];

/// The numbers in `session.state`. Sessions below [`CLOSED`] are open.
pub(super) const STARTED: u8 = 0;
pub(super) const CONNECTED: u8 = 1;
pub(super) const CLOSED: u8 = 2;
pub(super) const LOST: u8 = 3;

/// The number of a state.
pub(super) fn state_code(state: &State) -> u8 {
    match state {
        State::Started => STARTED,
        State::Connected => CONNECTED,
        State::Closed(_) => CLOSED,
        State::Lost => LOST,
    }
}

/// The number of a value in one of the lists.
pub(super) fn code<T: PartialEq>(list: &[T], value: &T) -> Option<u8> {
    let position = list.iter().position(|known| known == value);
    position.and_then(|position| u8::try_from(position).ok())
}

/// SQLite's integers are signed. Counts of bytes and of nanoseconds never come near the limit.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
