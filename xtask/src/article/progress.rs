//! Lines on stderr about what happens now.

pub(super) fn progress(what: &str) {
    eprintln!("article: {what}");
}
