//! Parsers for values of options.

use std::num::ParseIntError;
use std::time::Duration;

use regex::bytes::Regex;

/// A regular expression; its error in one line.
pub(super) fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().find_map(|line| line.strip_prefix("error: "));
        format!("not a regular expression: {}", reason.unwrap_or(text.trim()))
    })
}

/// A number of seconds, fractions allowed.
pub(super) fn seconds_or_zero(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<f64>().ok().and_then(|secs| Duration::try_from_secs_f64(secs).ok());
    duration.ok_or_else(|| "must be a number of seconds, 0 or more".to_owned())
}

/// A number of seconds above zero, fractions allowed.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|&seconds| seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "must be a number of seconds above 0".to_owned())
}

/// A whole number above zero.
pub(super) fn at_least_1<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let number: u64 = text.parse().map_err(|error: ParseIntError| error.to_string())?;
    if number == 0 {
        return Err("must be at least 1".to_owned());
    }
    T::try_from(number).map_err(|_| "is too large".to_owned())
}
