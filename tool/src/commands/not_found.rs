//! Errors with text from other programs in them, such as the error for a target that was not found.

use std::error::Error;

use crate::output;

/// The error in one line. It may quote a container runtime or a path, so it is escaped for a terminal.
pub(super) fn escaped(error: impl Error + Send + Sync + 'static) -> anyhow::Error {
    let text = format!("{:#}", anyhow::Error::from(error));
    anyhow::Error::msg(output::escaped(text.as_bytes()))
}
