//! Errors as Go prints them.

use std::io;

/// An errno as Go prints it: strerror(3)'s text without the number, in lower case at the start.
pub(super) fn as_go_prints(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or(&words);
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
