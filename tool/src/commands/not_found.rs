//! The error for a target that was not found.

use crate::output;
use crate::target::FindError;

/// The error in one line. It may quote a container runtime, so it is escaped for a terminal.
pub(super) fn escaped(error: FindError) -> anyhow::Error {
    let text = format!("{:#}", anyhow::Error::from(error));
    anyhow::Error::msg(output::escaped(text.as_bytes()))
}
